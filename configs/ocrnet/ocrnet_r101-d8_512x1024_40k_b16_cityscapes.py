# Paper: Object-Contextual Representations for Semantic Segmentation, ECCV 2020, arXiv:1909.11065
# Command: python tools/train.py configs/ocrnet/ocrnet_r101-d8_512x1024_40k_b16_cityscapes.py
# Expected mIoU: 80.30 single scale (configs/results.json)
_base_ = [
    '../_base_/models/ocrnet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
optimizer = dict(lr=0.02)
lr_config = dict(min_lr=2e-4)
