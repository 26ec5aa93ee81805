# Paper: Pyramid Scene Parsing Network, CVPR 2017, arXiv:1612.01105
# Command: python tools/train.py configs/pspnet/pspnet_r18-d8_769x769_80k_cityscapes.py
# Expected mIoU: 75.90 single scale, 77.86 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/pspnet_r18-d8.py', '../_base_/datasets/cityscapes_769x769.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
model = dict(
    decode_head=dict(align_corners=True),
    auxiliary_head=dict(align_corners=True),
    test_cfg=dict(mode='slide', crop_size=(769, 769), stride=(513, 513)))
