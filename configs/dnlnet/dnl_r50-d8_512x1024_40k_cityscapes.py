# Paper: Disentangled Non-Local Neural Networks, ECCV 2020, arXiv:2006.06668
# Command: python tools/train.py configs/dnlnet/dnl_r50-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 78.61 single scale (configs/results.json)
_base_ = [
    '../_base_/models/dnl_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
