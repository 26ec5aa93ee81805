# Paper: Dynamic Multi-scale Filters for Semantic Segmentation, ICCV 2019
# Command: python tools/train.py configs/dmnet/dmnet_r101-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 78.37 single scale, 79.72 multi-scale + flip (configs/results.json)
_base_ = './dmnet_r50-d8_512x1024_40k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
