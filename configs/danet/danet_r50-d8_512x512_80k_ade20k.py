# Paper: Dual Attention Network for Scene Segmentation, CVPR 2019, arXiv:1809.02983
# Command: python tools/train.py configs/danet/danet_r50-d8_512x512_80k_ade20k.py
# Expected mIoU: 41.66 single scale, 42.90 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/danet_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
model = dict(decode_head=dict(num_classes=150), auxiliary_head=dict(num_classes=150))
