# Paper: Deep High-Resolution Representation Learning for Visual Recognition, arXiv:1908.07919
# Command: python tools/train.py configs/hrnet/fcn_hr18s_512x1024_80k_cityscapes.py
# Expected mIoU: 75.31 single scale, 77.48 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_hr18s.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
