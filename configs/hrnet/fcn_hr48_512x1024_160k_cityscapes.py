# Paper: Deep High-Resolution Representation Learning for Visual Recognition, arXiv:1908.07919
# Command: python tools/train.py configs/hrnet/fcn_hr48_512x1024_160k_cityscapes.py
# Expected mIoU: 80.65 single scale, 81.92 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_hr48.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
