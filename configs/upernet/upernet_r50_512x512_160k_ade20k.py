# Paper: Unified Perceptual Parsing for Scene Understanding, ECCV 2018, arXiv:1807.10221
# Command: python tools/train.py configs/upernet/upernet_r50_512x512_160k_ade20k.py
# Expected mIoU: 42.05 single scale, 42.78 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/upernet_r50.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
model = dict(decode_head=dict(num_classes=150), auxiliary_head=dict(num_classes=150))
