# Paper: Context Encoding for Semantic Segmentation, CVPR 2018, arXiv:1803.08904
# Command: python tools/train.py configs/encnet/encnet_r50-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 75.67 single scale, 77.08 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/encnet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
