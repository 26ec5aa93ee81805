# Paper: CCNet: Criss-Cross Attention for Semantic Segmentation, ICCV 2019, arXiv:1811.11721
# Command: python tools/train.py configs/ccnet/ccnet_r50-d8_512x512_80k_ade20k.py
# Expected mIoU: 41.78 single scale, 42.98 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ccnet_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
model = dict(decode_head=dict(num_classes=150), auxiliary_head=dict(num_classes=150))
