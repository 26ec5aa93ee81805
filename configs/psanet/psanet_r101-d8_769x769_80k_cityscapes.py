# Paper: PSANet: Point-wise Spatial Attention Network for Scene Parsing, ECCV 2018
# Command: python tools/train.py configs/psanet/psanet_r101-d8_769x769_80k_cityscapes.py
# Expected mIoU: 79.69 single scale, 80.89 multi-scale + flip (configs/results.json)
_base_ = './psanet_r50-d8_769x769_80k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
