# Paper: Dynamic Multi-scale Filters for Semantic Segmentation, ICCV 2019
# Command: python tools/train.py configs/dmnet/dmnet_r50-d8_512x512_160k_ade20k.py
# Expected mIoU: 43.15 single scale, 44.17 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/dmnet_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
model = dict(decode_head=dict(num_classes=150), auxiliary_head=dict(num_classes=150))
