# ADE20K of the MIT scene parsing benchmark, 150 classes: train 20,210, val 2000 images.
_base_ = '../pipelines/crop_512x512_reduce_zero.py'
dataset_type = 'ADE20KDataset'
data_root = 'data/ade/ADEChallengeData2016'
_files = dict(type=dataset_type, data_root=data_root)
data = dict(
    samples_per_gpu=4,
    workers_per_gpu=4,
    train=dict(img_dir='images/training', ann_dir='annotations/training', **_files),
    val=dict(img_dir='images/validation', ann_dir='annotations/validation', **_files),
    test=dict(img_dir='images/validation', ann_dir='annotations/validation', **_files))
