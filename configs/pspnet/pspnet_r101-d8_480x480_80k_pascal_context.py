# Paper: Pyramid Scene Parsing Network, CVPR 2017, arXiv:1612.01105
# Command: python tools/train.py configs/pspnet/pspnet_r101-d8_480x480_80k_pascal_context.py
# Expected mIoU: 46.03 single scale, 47.15 multi-scale + flip (configs/results.json)
_base_ = './pspnet_r50-d8_480x480_80k_pascal_context.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
