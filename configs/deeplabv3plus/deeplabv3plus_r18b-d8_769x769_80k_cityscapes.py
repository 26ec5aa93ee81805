# Paper: Encoder-Decoder with Atrous Separable Convolution, ECCV 2018, arXiv:1802.02611
# Command: python tools/train.py configs/deeplabv3plus/deeplabv3plus_r18b-d8_769x769_80k_cityscapes.py
# Expected mIoU: 76.36 single scale, 78.24 multi-scale + flip (configs/results.json)
_base_ = './deeplabv3plus_r18-d8_769x769_80k_cityscapes.py'
model = dict(pretrained='torchvision://resnet18', backbone=dict(type='ResNet'))
