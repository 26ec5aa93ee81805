# Paper: CCNet: Criss-Cross Attention for Semantic Segmentation, ICCV 2019, arXiv:1811.11721
# Command: python tools/train.py configs/ccnet/ccnet_r101-d8_512x512_80k_ade20k.py
# Expected mIoU: 43.97 single scale, 45.13 multi-scale + flip (configs/results.json)
_base_ = './ccnet_r50-d8_512x512_80k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
