# Paper: PSANet: Point-wise Spatial Attention Network for Scene Parsing, ECCV 2018
# Command: python tools/train.py configs/psanet/psanet_r50-d8_512x512_40k_voc12aug.py
# Expected mIoU: 76.30 single scale, 77.35 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/psanet_r50-d8.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
model = dict(decode_head=dict(num_classes=21), auxiliary_head=dict(num_classes=21))
