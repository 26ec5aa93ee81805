# Paper: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015, arXiv:1411.4038
# Command: python tools/train.py configs/fcn/fcn_r18-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 71.11 single scale, 72.91 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_r18-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
