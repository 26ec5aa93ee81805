# Paper: Pyramid Scene Parsing Network, CVPR 2017, arXiv:1612.01105
# Command: python tools/train.py configs/pspnet/pspnet_r101-d8_769x769_40k_cityscapes.py
# Expected mIoU: 79.08 single scale, 80.28 multi-scale + flip (configs/results.json)
_base_ = './pspnet_r50-d8_769x769_40k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
