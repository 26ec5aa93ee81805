# Paper: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015, arXiv:1411.4038
# Command: python tools/train.py configs/fcn/fcn_r50-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 72.25 single scale, 73.36 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
