# Paper: Dynamic Multi-scale Filters for Semantic Segmentation, ICCV 2019
# Command: python tools/train.py configs/dmnet/dmnet_r50-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 79.07 single scale, 80.22 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/dmnet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
