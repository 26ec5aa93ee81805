# HRF, vessels in the retina: 45 images of 3504 x 2336 pixels, 15 of them for training.
from retina import repeated

_base_ = '../pipelines/patches_hrf.py'
dataset_type = 'HRFDataset'
data_root = 'data/HRF'
data = repeated(
    _base_.train_pipeline, _base_.test_pipeline, type=dataset_type, data_root=data_root)
