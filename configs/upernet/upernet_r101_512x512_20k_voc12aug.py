# Paper: Unified Perceptual Parsing for Scene Understanding, ECCV 2018, arXiv:1807.10221
# Command: python tools/train.py configs/upernet/upernet_r101_512x512_20k_voc12aug.py
# Expected mIoU: 77.10 single scale, 78.29 multi-scale + flip (configs/results.json)
_base_ = './upernet_r50_512x512_20k_voc12aug.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
