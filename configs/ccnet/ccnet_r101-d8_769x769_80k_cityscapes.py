# Paper: CCNet: Criss-Cross Attention for Semantic Segmentation, ICCV 2019, arXiv:1811.11721
# Command: python tools/train.py configs/ccnet/ccnet_r101-d8_769x769_80k_cityscapes.py
# Expected mIoU: 79.45 single scale, 80.66 multi-scale + flip (configs/results.json)
_base_ = './ccnet_r50-d8_769x769_80k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
