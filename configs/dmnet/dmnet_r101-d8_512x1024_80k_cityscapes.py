# Paper: Dynamic Multi-scale Filters for Semantic Segmentation, ICCV 2019
# Command: python tools/train.py configs/dmnet/dmnet_r101-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 79.64 single scale, 80.67 multi-scale + flip (configs/results.json)
_base_ = './dmnet_r50-d8_512x1024_80k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
