# Paper: Pyramid Scene Parsing Network, CVPR 2017, arXiv:1612.01105
# Command: python tools/train.py configs/pspnet/pspnet_r18-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 74.87 single scale, 76.04 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/pspnet_r18-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
