# Paper: Dual Attention Network for Scene Segmentation, CVPR 2019, arXiv:1809.02983
# Command: python tools/train.py configs/danet/danet_r50-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 78.74 single scale (configs/results.json)
_base_ = [
    '../_base_/models/danet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
