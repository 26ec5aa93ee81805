# Paper: Encoder-Decoder with Atrous Separable Convolution, ECCV 2018, arXiv:1802.02611
# Command: python tools/train.py configs/deeplabv3plus/deeplabv3plus_r18b-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 75.87 single scale, 77.52 multi-scale + flip (configs/results.json)
_base_ = './deeplabv3plus_r18-d8_512x1024_80k_cityscapes.py'
model = dict(pretrained='torchvision://resnet18', backbone=dict(type='ResNet'))
