# Paper: Unified Perceptual Parsing for Scene Understanding, ECCV 2018, arXiv:1807.10221
# Command: python tools/train.py configs/upernet/upernet_r101_769x769_80k_cityscapes.py
# Expected mIoU: 80.10 single scale, 81.49 multi-scale + flip (configs/results.json)
_base_ = './upernet_r50_769x769_80k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
