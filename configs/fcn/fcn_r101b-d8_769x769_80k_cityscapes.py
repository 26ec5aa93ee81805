# Paper: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015, arXiv:1411.4038
# Command: python tools/train.py configs/fcn/fcn_r101b-d8_769x769_80k_cityscapes.py
# Expected mIoU: 77.02 single scale, 78.67 multi-scale + flip (configs/results.json)
_base_ = './fcn_r101-d8_769x769_80k_cityscapes.py'
model = dict(pretrained='torchvision://resnet101', backbone=dict(type='ResNet'))
