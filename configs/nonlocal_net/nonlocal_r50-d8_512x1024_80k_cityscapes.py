# Paper: Non-local Neural Networks, CVPR 2018, arXiv:1711.07971
# Command: python tools/train.py configs/nonlocal_net/nonlocal_r50-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 78.01 single scale (configs/results.json)
_base_ = [
    '../_base_/models/nonlocal_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
