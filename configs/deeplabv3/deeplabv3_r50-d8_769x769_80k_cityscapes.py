# Paper: Rethinking Atrous Convolution for Semantic Image Segmentation, arXiv:1706.05587
# Command: python tools/train.py configs/deeplabv3/deeplabv3_r50-d8_769x769_80k_cityscapes.py
# Expected mIoU: 79.89 single scale, 81.06 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/deeplabv3_r50-d8.py', '../_base_/datasets/cityscapes_769x769.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
model = dict(
    decode_head=dict(align_corners=True),
    auxiliary_head=dict(align_corners=True),
    test_cfg=dict(mode='slide', crop_size=(769, 769), stride=(513, 513)))
