# Paper: Expectation-Maximization Attention Networks, ICCV 2019, arXiv:1907.13426
# Command: python tools/train.py configs/emanet/emanet_r50-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 77.59 single scale, 79.44 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/emanet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
