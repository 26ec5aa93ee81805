# Paper: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015, arXiv:1411.4038
# Command: python tools/train.py configs/fcn/fcn_r101-d8_480x480_40k_pascal_context.py
# Expected mIoU: 44.43 single scale, 45.63 multi-scale + flip (configs/results.json)
_base_ = './fcn_r50-d8_480x480_40k_pascal_context.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
