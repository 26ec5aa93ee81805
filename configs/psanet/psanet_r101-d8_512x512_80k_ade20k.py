# Paper: PSANet: Point-wise Spatial Attention Network for Scene Parsing, ECCV 2018
# Command: python tools/train.py configs/psanet/psanet_r101-d8_512x512_80k_ade20k.py
# Expected mIoU: 43.80 single scale, 44.75 multi-scale + flip (configs/results.json)
_base_ = './psanet_r50-d8_512x512_80k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
