# CHASE DB1, vessels in the retina: 28 images of 999 x 960 pixels, 20 of them for training.
from retina import repeated

_base_ = '../pipelines/patches_chase_db1.py'
dataset_type = 'ChaseDB1Dataset'
data_root = 'data/CHASE_DB1'
data = repeated(
    _base_.train_pipeline, _base_.test_pipeline, type=dataset_type, data_root=data_root)
