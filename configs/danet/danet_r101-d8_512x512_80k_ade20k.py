# Paper: Dual Attention Network for Scene Segmentation, CVPR 2019, arXiv:1809.02983
# Command: python tools/train.py configs/danet/danet_r101-d8_512x512_80k_ade20k.py
# Expected mIoU: 43.64 single scale, 45.19 multi-scale + flip (configs/results.json)
_base_ = './danet_r50-d8_512x512_80k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
