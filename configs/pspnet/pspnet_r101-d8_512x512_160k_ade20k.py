# Paper: Pyramid Scene Parsing Network, CVPR 2017, arXiv:1612.01105
# Command: python tools/train.py configs/pspnet/pspnet_r101-d8_512x512_160k_ade20k.py
# Expected mIoU: 44.39 single scale, 45.35 multi-scale + flip (configs/results.json)
_base_ = './pspnet_r50-d8_512x512_160k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
