# Paper: CCNet: Criss-Cross Attention for Semantic Segmentation, ICCV 2019, arXiv:1811.11721
# Command: python tools/train.py configs/ccnet/ccnet_r50-d8_769x769_80k_cityscapes.py
# Expected mIoU: 79.29 single scale, 81.08 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ccnet_r50-d8.py', '../_base_/datasets/cityscapes_769x769.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
model = dict(
    decode_head=dict(align_corners=True),
    auxiliary_head=dict(align_corners=True),
    test_cfg=dict(mode='slide', crop_size=(769, 769), stride=(513, 513)))
