# As cityscapes.py, whose values this file imports, for crops of 680 x 680 of CGNet.
from cityscapes import data, data_root, dataset_type

_base_ = '../pipelines/cgnet_680x680.py'
data = dict(data, samples_per_gpu=8, workers_per_gpu=8)
