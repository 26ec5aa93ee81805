# Paper: Dynamic Multi-scale Filters for Semantic Segmentation, ICCV 2019
# Command: python tools/train.py configs/dmnet/dmnet_r50-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 77.78 single scale, 79.14 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/dmnet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
