# Paper: Asymmetric Non-local Neural Networks for Semantic Segmentation, ICCV 2019, arXiv:1908.07678
# Command: python tools/train.py configs/ann/ann_r50-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 77.34 single scale, 78.65 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ann_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
