# Paper: CCNet: Criss-Cross Attention for Semantic Segmentation, ICCV 2019, arXiv:1811.11721
# Command: python tools/train.py configs/ccnet/ccnet_r50-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 77.76 single scale, 78.87 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ccnet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
