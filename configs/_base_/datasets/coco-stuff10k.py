# COCO-Stuff 10k v1.1, 171 classes: train 9000, test 1000 images of COCO 2014.
# Made by: python tools/convert_datasets/coco_stuff10k.py data/coco_stuff10k --nproc 8
_base_ = '../pipelines/crop_512x512_reduce_zero.py'
dataset_type = 'COCOStuffDataset'
data_root = 'data/coco_stuff10k'
_files = dict(type=dataset_type, data_root=data_root, reduce_zero_label=True)
data = dict(
    samples_per_gpu=4,
    workers_per_gpu=4,
    train=dict(img_dir='images/train2014', ann_dir='annotations/train2014', **_files),
    val=dict(img_dir='images/test2014', ann_dir='annotations/test2014', **_files),
    test=dict(img_dir='images/test2014', ann_dir='annotations/test2014', **_files))
