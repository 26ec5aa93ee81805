# Paper: Deep High-Resolution Representation Learning for Visual Recognition, arXiv:1908.07919
# Command: python tools/train.py configs/hrnet/fcn_hr48_512x512_20k_voc12aug.py
# Expected mIoU: 75.87 single scale, 78.58 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_hr48.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_20k.py',
]
model = dict(decode_head=dict(num_classes=21))
