# PASCAL VOC 2012 with the SBD annotations ("aug"): 10,582 training images.
# Made by: python tools/convert_datasets/voc_aug.py data/VOCdevkit data/VOCdevkit/VOCaug --nproc 8
_base_ = './pascal_voc12.py'
data = dict(
    train=dict(
        ann_dir=['SegmentationClass', 'SegmentationClassAug'],
        split=[
            'ImageSets/Segmentation/train.txt',
            'ImageSets/Segmentation/aug.txt',
        ]))
