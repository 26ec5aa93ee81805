# Cityscapes, 19 classes of streets: train 2975, val 500 images of 2048 x 1024 pixels.
_base_ = '../pipelines/crop_512x1024.py'
dataset_type = 'CityscapesDataset'
data_root = 'data/cityscapes/'
_files = dict(type=dataset_type, data_root=data_root)
data = dict(
    samples_per_gpu=2,
    workers_per_gpu=2,
    train=dict(img_dir='leftImg8bit/train', ann_dir='gtFine/train', **_files),
    val=dict(img_dir='leftImg8bit/val', ann_dir='gtFine/val', **_files),
    test=dict(img_dir='leftImg8bit/val', ann_dir='gtFine/val', **_files))
