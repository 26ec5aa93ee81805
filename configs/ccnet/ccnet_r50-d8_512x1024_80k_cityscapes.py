# Paper: CCNet: Criss-Cross Attention for Semantic Segmentation, ICCV 2019, arXiv:1811.11721
# Command: python tools/train.py configs/ccnet/ccnet_r50-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 79.03 single scale, 80.16 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ccnet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
