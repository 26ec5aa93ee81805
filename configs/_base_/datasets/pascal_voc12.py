# PASCAL VOC 2012, 21 classes: train 1464, val 1449 images.
_base_ = '../pipelines/crop_512x512.py'
dataset_type = 'PascalVOCDataset'
data_root = 'data/VOCdevkit/VOC2012'
_voc = dict(
    type=dataset_type, data_root=data_root, img_dir='JPEGImages', ann_dir='SegmentationClass')
data = dict(
    samples_per_gpu=4,
    workers_per_gpu=4,
    train=dict(split='ImageSets/Segmentation/train.txt', **_voc),
    val=dict(split='ImageSets/Segmentation/val.txt', **_voc),
    test=dict(split='ImageSets/Segmentation/val.txt', **_voc))
