# Paper: Deep High-Resolution Representation Learning for Visual Recognition, arXiv:1908.07919
# Command: python tools/train.py configs/hrnet/fcn_hr18s_512x512_20k_voc12aug.py
# Expected mIoU: 65.50 single scale, 68.89 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_hr18s.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_20k.py',
]
model = dict(decode_head=dict(num_classes=21))
