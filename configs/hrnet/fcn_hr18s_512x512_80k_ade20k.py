# Paper: Deep High-Resolution Representation Learning for Visual Recognition, arXiv:1908.07919
# Command: python tools/train.py configs/hrnet/fcn_hr18s_512x512_80k_ade20k.py
# Expected mIoU: 31.38 single scale, 32.45 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_hr18s.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
model = dict(decode_head=dict(num_classes=150))
