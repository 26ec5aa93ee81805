# Paper: Pyramid Scene Parsing Network, CVPR 2017, arXiv:1612.01105
# Command: python tools/train.py configs/pspnet/pspnet_r101b-d8_769x769_80k_cityscapes.py
# Expected mIoU: 78.87 single scale, 80.04 multi-scale + flip (configs/results.json)
_base_ = './pspnet_r101-d8_769x769_80k_cityscapes.py'
model = dict(pretrained='torchvision://resnet101', backbone=dict(type='ResNet'))
