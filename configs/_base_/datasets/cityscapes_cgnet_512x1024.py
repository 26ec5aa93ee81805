# As cityscapes.py, whose values this file imports, for CGNet.
from cityscapes import data, data_root, dataset_type

_base_ = '../pipelines/cgnet_512x1024.py'
data = dict(data, samples_per_gpu=8, workers_per_gpu=8)
