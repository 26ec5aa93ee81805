# Paper: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015, arXiv:1411.4038
# Command: python tools/train.py configs/fcn/fcn_r50b-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 75.65 single scale, 77.59 multi-scale + flip (configs/results.json)
_base_ = './fcn_r50-d8_512x1024_80k_cityscapes.py'
model = dict(pretrained='torchvision://resnet50', backbone=dict(type='ResNet'))
