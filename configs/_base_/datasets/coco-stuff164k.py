# COCO-Stuff 164k, 171 classes: train 118,287, val 5000 images of COCO 2017.
# Made by: python tools/convert_datasets/coco_stuff164k.py data/coco_stuff164k --nproc 8
_base_ = '../pipelines/crop_512x512.py'
dataset_type = 'COCOStuffDataset'
data_root = 'data/coco_stuff164k'
_files = dict(type=dataset_type, data_root=data_root)
data = dict(
    samples_per_gpu=4,
    workers_per_gpu=4,
    train=dict(img_dir='images/train2017', ann_dir='annotations/train2017', **_files),
    val=dict(img_dir='images/val2017', ann_dir='annotations/val2017', **_files),
    test=dict(img_dir='images/val2017', ann_dir='annotations/val2017', **_files))
