# Paper: Unified Perceptual Parsing for Scene Understanding, ECCV 2018, arXiv:1807.10221
# Command: python tools/train.py configs/upernet/upernet_r101_512x1024_40k_cityscapes.py
# Expected mIoU: 78.69 single scale, 80.11 multi-scale + flip (configs/results.json)
_base_ = './upernet_r50_512x1024_40k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
