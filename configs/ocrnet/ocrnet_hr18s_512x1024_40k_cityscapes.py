# Paper: Object-Contextual Representations for Semantic Segmentation, ECCV 2020, arXiv:1909.11065
# Command: python tools/train.py configs/ocrnet/ocrnet_hr18s_512x1024_40k_cityscapes.py
# Expected mIoU: 74.30 single scale, 75.95 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ocrnet_hr18s.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
