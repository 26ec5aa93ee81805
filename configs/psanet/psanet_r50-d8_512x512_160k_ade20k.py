# Paper: PSANet: Point-wise Spatial Attention Network for Scene Parsing, ECCV 2018
# Command: python tools/train.py configs/psanet/psanet_r50-d8_512x512_160k_ade20k.py
# Expected mIoU: 41.67 single scale, 42.95 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/psanet_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
model = dict(
    decode_head=dict(mask_size=(66, 66), num_classes=150),
    auxiliary_head=dict(num_classes=150))
