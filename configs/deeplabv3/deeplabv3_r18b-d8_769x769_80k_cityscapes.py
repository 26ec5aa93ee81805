# Paper: Rethinking Atrous Convolution for Semantic Image Segmentation, arXiv:1706.05587
# Command: python tools/train.py configs/deeplabv3/deeplabv3_r18b-d8_769x769_80k_cityscapes.py
# Expected mIoU: 75.63 single scale, 77.51 multi-scale + flip (configs/results.json)
_base_ = './deeplabv3_r18-d8_769x769_80k_cityscapes.py'
model = dict(pretrained='torchvision://resnet18', backbone=dict(type='ResNet'))
