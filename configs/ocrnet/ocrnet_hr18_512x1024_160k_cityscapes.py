# Paper: Object-Contextual Representations for Semantic Segmentation, ECCV 2020, arXiv:1909.11065
# Command: python tools/train.py configs/ocrnet/ocrnet_hr18_512x1024_160k_cityscapes.py
# Expected mIoU: 79.47 single scale, 80.91 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ocrnet_hr18.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
