# Paper: Rethinking Atrous Convolution for Semantic Image Segmentation, arXiv:1706.05587
# Command: python tools/train.py configs/deeplabv3/deeplabv3_r50b-d8_769x769_80k_cityscapes.py
# Expected mIoU: 78.80 single scale, 80.27 multi-scale + flip (configs/results.json)
_base_ = './deeplabv3_r50-d8_769x769_80k_cityscapes.py'
model = dict(pretrained='torchvision://resnet50', backbone=dict(type='ResNet'))
