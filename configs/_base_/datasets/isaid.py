# iSAID, 16 classes: train 33,978, val 11,644 windows of 896 x 896 pixels.
# Made by: python tools/convert_datasets/isaid.py ARCHIVES --nproc 8
_base_ = '../pipelines/windows_896x896.py'
dataset_type = 'iSAIDDataset'
data_root = 'data/iSAID'
_files = dict(type=dataset_type, data_root=data_root)
data = dict(
    samples_per_gpu=4,
    workers_per_gpu=4,
    train=dict(img_dir='img_dir/train', ann_dir='ann_dir/train', **_files),
    val=dict(img_dir='img_dir/val', ann_dir='ann_dir/val', **_files),
    test=dict(img_dir='img_dir/val', ann_dir='ann_dir/val', **_files))
