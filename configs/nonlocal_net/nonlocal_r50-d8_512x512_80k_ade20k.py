# Paper: Non-local Neural Networks, CVPR 2018, arXiv:1711.07971
# Command: python tools/train.py configs/nonlocal_net/nonlocal_r50-d8_512x512_80k_ade20k.py
# Expected mIoU: 40.75 single scale, 42.05 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/nonlocal_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
model = dict(decode_head=dict(num_classes=150), auxiliary_head=dict(num_classes=150))
