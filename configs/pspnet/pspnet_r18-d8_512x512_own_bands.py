# Paper: Pyramid Scene Parsing Network, CVPR 2017, arXiv:1612.01105
# Command: python tools/train.py configs/pspnet/pspnet_r18-d8_512x512_own_bands.py
# Expected mIoU: that of your data; README.md, "More than three channels", says what to change
_base_ = './pspnet_r18-d8_512x512_own_data.py'
in_channels = 5
# One value a band, in the order and the unit of the files.
img_norm_cfg = dict(
    mean=[1200.0, 1100.0, 950.0, 2600.0, 1900.0], std=[480.0, 420.0, 400.0, 900.0, 700.0],
    to_rgb=False)
crop_size = (512, 512)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='Resize', img_scale=(2048, 512), ratio_range=(0.5, 2.0)),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='Normalize', **img_norm_cfg),
    dict(type='Pad', size=crop_size, pad_val=0),
    dict(type='DefaultFormatBundle'),
    dict(type='Collect', keys=['img', 'gt_semantic_seg']),
]
data = dict(
    train=dict(img_suffix='.tif', pipeline=train_pipeline),
    val=dict(img_suffix='.tif'),
    test=dict(img_suffix='.tif'))
