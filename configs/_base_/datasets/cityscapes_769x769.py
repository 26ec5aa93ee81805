# As cityscapes.py, whose values this file imports, for crops of 769 x 769.
from cityscapes import data, data_root, dataset_type

_base_ = '../pipelines/crop_769x769.py'
