# Paper: Panoptic Feature Pyramid Networks, CVPR 2019, arXiv:1901.02446
# Command: python tools/train.py configs/sem_fpn/fpn_r50_512x1024_80k_cityscapes.py
# Expected mIoU: 74.52 single scale, 76.08 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fpn_r50.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
