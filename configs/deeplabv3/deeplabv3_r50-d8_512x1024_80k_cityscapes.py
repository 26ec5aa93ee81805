# Paper: Rethinking Atrous Convolution for Semantic Image Segmentation, arXiv:1706.05587
# Command: python tools/train.py configs/deeplabv3/deeplabv3_r50-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 79.32 single scale, 80.57 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/deeplabv3_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
