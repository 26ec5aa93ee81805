# Paper: Deep High-Resolution Representation Learning for Visual Recognition, arXiv:1908.07919
# Command: python tools/train.py configs/hrnet/fcn_hr48_512x1024_40k_cityscapes.py
# Expected mIoU: 78.48 single scale, 79.69 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_hr48.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
