# Pascal Context, 59 classes and the background: train 4998, val 5105 images of VOC 2010.
_base_ = '../pipelines/crop_480x480.py'
dataset_type = 'PascalContextDataset'
data_root = 'data/VOCdevkit/VOC2010/'
_context = dict(
    type=dataset_type, data_root=data_root, img_dir='JPEGImages',
    ann_dir='SegmentationClassContext')
data = dict(
    samples_per_gpu=4,
    workers_per_gpu=4,
    train=dict(split='ImageSets/SegmentationContext/train.txt', **_context),
    val=dict(split='ImageSets/SegmentationContext/val.txt', **_context),
    test=dict(split='ImageSets/SegmentationContext/val.txt', **_context))
