# Paper: Adaptive Pyramid Context Network for Semantic Segmentation, CVPR 2019
# Command: python tools/train.py configs/apcnet/apcnet_r50-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 78.96 single scale, 79.94 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/apcnet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
