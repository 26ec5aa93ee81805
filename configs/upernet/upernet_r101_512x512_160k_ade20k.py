# Paper: Unified Perceptual Parsing for Scene Understanding, ECCV 2018, arXiv:1807.10221
# Command: python tools/train.py configs/upernet/upernet_r101_512x512_160k_ade20k.py
# Expected mIoU: 43.82 single scale, 44.85 multi-scale + flip (configs/results.json)
_base_ = './upernet_r50_512x512_160k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
