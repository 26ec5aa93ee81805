# DRIVE, vessels in the retina: 40 images of 565 x 584 pixels, 20 of them for training.
from retina import repeated

_base_ = '../pipelines/patches_drive.py'
dataset_type = 'DRIVEDataset'
data_root = 'data/DRIVE'
data = repeated(
    _base_.train_pipeline, _base_.test_pipeline, type=dataset_type, data_root=data_root)
