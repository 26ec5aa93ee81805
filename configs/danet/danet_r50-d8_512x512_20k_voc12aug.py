# Paper: Dual Attention Network for Scene Segmentation, CVPR 2019, arXiv:1809.02983
# Command: python tools/train.py configs/danet/danet_r50-d8_512x512_20k_voc12aug.py
# Expected mIoU: 74.45 single scale, 75.69 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/danet_r50-d8.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_20k.py',
]
model = dict(decode_head=dict(num_classes=21), auxiliary_head=dict(num_classes=21))
