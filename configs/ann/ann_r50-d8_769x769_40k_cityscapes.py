# Paper: Asymmetric Non-local Neural Networks for Semantic Segmentation, ICCV 2019, arXiv:1908.07678
# Command: python tools/train.py configs/ann/ann_r50-d8_769x769_40k_cityscapes.py
# Expected mIoU: 78.89 single scale, 80.46 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ann_r50-d8.py', '../_base_/datasets/cityscapes_769x769.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
model = dict(
    decode_head=dict(align_corners=True),
    auxiliary_head=dict(align_corners=True),
    test_cfg=dict(mode='slide', crop_size=(769, 769), stride=(513, 513)))
