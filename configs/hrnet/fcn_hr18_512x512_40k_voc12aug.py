# Paper: Deep High-Resolution Representation Learning for Visual Recognition, arXiv:1908.07919
# Command: python tools/train.py configs/hrnet/fcn_hr18_512x512_40k_voc12aug.py
# Expected mIoU: 72.90 single scale, 75.59 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_hr18.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
model = dict(decode_head=dict(num_classes=21))
