# Paper: Unified Perceptual Parsing for Scene Understanding, ECCV 2018, arXiv:1807.10221
# Command: python tools/train.py configs/upernet/upernet_r50_769x769_40k_cityscapes.py
# Expected mIoU: 77.98 single scale, 79.70 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/upernet_r50.py', '../_base_/datasets/cityscapes_769x769.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
model = dict(
    decode_head=dict(align_corners=True),
    auxiliary_head=dict(align_corners=True),
    test_cfg=dict(mode='slide', crop_size=(769, 769), stride=(513, 513)))
