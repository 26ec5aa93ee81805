# Paper: Non-local Neural Networks, CVPR 2018, arXiv:1711.07971
# Command: python tools/train.py configs/nonlocal_net/nonlocal_r50-d8_512x512_160k_ade20k.py
# Expected mIoU: 42.03 single scale, 43.04 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/nonlocal_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
model = dict(decode_head=dict(num_classes=150), auxiliary_head=dict(num_classes=150))
