# Paper: Rethinking Atrous Convolution for Semantic Image Segmentation, arXiv:1706.05587
# Command: python tools/train.py configs/deeplabv3/deeplabv3_r18-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 76.70 single scale, 78.27 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/deeplabv3_r18-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
