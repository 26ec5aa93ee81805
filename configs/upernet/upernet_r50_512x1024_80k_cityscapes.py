# Paper: Unified Perceptual Parsing for Scene Understanding, ECCV 2018, arXiv:1807.10221
# Command: python tools/train.py configs/upernet/upernet_r50_512x1024_80k_cityscapes.py
# Expected mIoU: 78.19 single scale, 79.19 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/upernet_r50.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
