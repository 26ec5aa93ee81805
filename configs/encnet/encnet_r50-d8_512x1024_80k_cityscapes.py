# Paper: Context Encoding for Semantic Segmentation, CVPR 2018, arXiv:1803.08904
# Command: python tools/train.py configs/encnet/encnet_r50-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 77.94 single scale, 79.13 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/encnet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
