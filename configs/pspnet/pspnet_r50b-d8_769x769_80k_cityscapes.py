# Paper: Pyramid Scene Parsing Network, CVPR 2017, arXiv:1612.01105
# Command: python tools/train.py configs/pspnet/pspnet_r50b-d8_769x769_80k_cityscapes.py
# Expected mIoU: 78.50 single scale, 79.96 multi-scale + flip (configs/results.json)
_base_ = './pspnet_r50-d8_769x769_80k_cityscapes.py'
model = dict(pretrained='torchvision://resnet50', backbone=dict(type='ResNet'))
