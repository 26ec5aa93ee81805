# Paper: Deep High-Resolution Representation Learning for Visual Recognition, arXiv:1908.07919
# Command: python tools/train.py configs/hrnet/fcn_hr18s_512x512_160k_ade20k.py
# Expected mIoU: 33.07 single scale, 34.56 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_hr18s.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
model = dict(decode_head=dict(num_classes=150))
