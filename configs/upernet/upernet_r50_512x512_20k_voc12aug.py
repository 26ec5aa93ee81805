# Paper: Unified Perceptual Parsing for Scene Understanding, ECCV 2018, arXiv:1807.10221
# Command: python tools/train.py configs/upernet/upernet_r50_512x512_20k_voc12aug.py
# Expected mIoU: 74.82 single scale, 76.35 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/upernet_r50.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_20k.py',
]
model = dict(decode_head=dict(num_classes=21), auxiliary_head=dict(num_classes=21))
