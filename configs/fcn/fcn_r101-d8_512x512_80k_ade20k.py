# Paper: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015, arXiv:1411.4038
# Command: python tools/train.py configs/fcn/fcn_r101-d8_512x512_80k_ade20k.py
# Expected mIoU: 39.61 single scale, 40.83 multi-scale + flip (configs/results.json)
_base_ = './fcn_r50-d8_512x512_80k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
