# Paper: PSANet: Point-wise Spatial Attention Network for Scene Parsing, ECCV 2018
# Command: python tools/train.py configs/psanet/psanet_r50-d8_512x512_80k_ade20k.py
# Expected mIoU: 41.14 single scale, 41.91 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/psanet_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
model = dict(
    decode_head=dict(mask_size=(66, 66), num_classes=150),
    auxiliary_head=dict(num_classes=150))
