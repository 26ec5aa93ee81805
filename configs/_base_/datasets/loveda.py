# LoveDA, 7 classes of land cover: train 2522, val 1669 images of 1024 x 1024 pixels.
# Made by: python tools/convert_datasets/loveda.py ARCHIVES --nproc 8
_base_ = '../pipelines/crop_512x512_of_1024x1024.py'
dataset_type = 'LoveDADataset'
data_root = 'data/loveDA'
_files = dict(type=dataset_type, data_root=data_root)
data = dict(
    samples_per_gpu=4,
    workers_per_gpu=4,
    train=dict(img_dir='img_dir/train', ann_dir='ann_dir/train', **_files),
    val=dict(img_dir='img_dir/val', ann_dir='ann_dir/val', **_files),
    test=dict(img_dir='img_dir/val', ann_dir='ann_dir/val', **_files))
