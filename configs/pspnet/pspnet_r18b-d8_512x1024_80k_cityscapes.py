# Paper: Pyramid Scene Parsing Network, CVPR 2017, arXiv:1612.01105
# Command: python tools/train.py configs/pspnet/pspnet_r18b-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 74.23 single scale, 75.79 multi-scale + flip (configs/results.json)
_base_ = './pspnet_r18-d8_512x1024_80k_cityscapes.py'
model = dict(pretrained='torchvision://resnet18', backbone=dict(type='ResNet'))
