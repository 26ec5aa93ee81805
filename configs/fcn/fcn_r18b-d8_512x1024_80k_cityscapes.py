# Paper: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015, arXiv:1411.4038
# Command: python tools/train.py configs/fcn/fcn_r18b-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 70.24 single scale, 72.77 multi-scale + flip (configs/results.json)
_base_ = './fcn_r18-d8_512x1024_80k_cityscapes.py'
model = dict(pretrained='torchvision://resnet18', backbone=dict(type='ResNet'))
