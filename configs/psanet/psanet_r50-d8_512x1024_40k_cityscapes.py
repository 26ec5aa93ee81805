# Paper: PSANet: Point-wise Spatial Attention Network for Scene Parsing, ECCV 2018
# Command: python tools/train.py configs/psanet/psanet_r50-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 77.63 single scale, 79.04 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/psanet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
