# Paper: Dual Attention Network for Scene Segmentation, CVPR 2019, arXiv:1809.02983
# Command: python tools/train.py configs/danet/danet_r101-d8_769x769_80k_cityscapes.py
# Expected mIoU: 80.47 single scale, 82.02 multi-scale + flip (configs/results.json)
_base_ = './danet_r50-d8_769x769_80k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
