# Paper: Dynamic Multi-scale Filters for Semantic Segmentation, ICCV 2019
# Command: python tools/train.py configs/dmnet/dmnet_r101-d8_512x512_80k_ade20k.py
# Expected mIoU: 45.34 single scale, 46.13 multi-scale + flip (configs/results.json)
_base_ = './dmnet_r50-d8_512x512_80k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
