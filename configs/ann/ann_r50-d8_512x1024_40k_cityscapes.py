# Paper: Asymmetric Non-local Neural Networks for Semantic Segmentation, ICCV 2019, arXiv:1908.07678
# Command: python tools/train.py configs/ann/ann_r50-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 77.40 single scale, 78.57 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ann_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
