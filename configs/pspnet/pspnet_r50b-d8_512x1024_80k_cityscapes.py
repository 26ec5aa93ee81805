# Paper: Pyramid Scene Parsing Network, CVPR 2017, arXiv:1612.01105
# Command: python tools/train.py configs/pspnet/pspnet_r50b-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 78.22 single scale, 79.46 multi-scale + flip (configs/results.json)
_base_ = './pspnet_r50-d8_512x1024_80k_cityscapes.py'
model = dict(pretrained='torchvision://resnet50', backbone=dict(type='ResNet'))
