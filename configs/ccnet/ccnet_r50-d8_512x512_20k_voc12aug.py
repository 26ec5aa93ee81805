# Paper: CCNet: Criss-Cross Attention for Semantic Segmentation, ICCV 2019, arXiv:1811.11721
# Command: python tools/train.py configs/ccnet/ccnet_r50-d8_512x512_20k_voc12aug.py
# Expected mIoU: 76.17 single scale, 77.51 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ccnet_r50-d8.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_20k.py',
]
model = dict(decode_head=dict(num_classes=21), auxiliary_head=dict(num_classes=21))
