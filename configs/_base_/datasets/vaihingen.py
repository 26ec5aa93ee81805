# Vaihingen of the ISPRS, 6 classes: 33 tiles, train 344, val 398 windows of 512 x 512 pixels.
# Made by: python tools/convert_datasets/vaihingen.py ARCHIVES --nproc 8
_base_ = '../pipelines/windows_512x512.py'
dataset_type = 'ISPRSDataset'
data_root = 'data/vaihingen'
_files = dict(type=dataset_type, data_root=data_root)
data = dict(
    samples_per_gpu=4,
    workers_per_gpu=4,
    train=dict(img_dir='img_dir/train', ann_dir='ann_dir/train', **_files),
    val=dict(img_dir='img_dir/val', ann_dir='ann_dir/val', **_files),
    test=dict(img_dir='img_dir/val', ann_dir='ann_dir/val', **_files))
