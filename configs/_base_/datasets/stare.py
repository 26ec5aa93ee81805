# STARE, vessels in the retina: 20 images of 700 x 605 pixels, 10 of them for training.
from retina import repeated

_base_ = '../pipelines/patches_stare.py'
dataset_type = 'STAREDataset'
data_root = 'data/STARE'
data = repeated(
    _base_.train_pipeline, _base_.test_pipeline, type=dataset_type, data_root=data_root)
