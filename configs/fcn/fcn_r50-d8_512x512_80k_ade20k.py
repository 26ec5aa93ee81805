# Paper: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015, arXiv:1411.4038
# Command: python tools/train.py configs/fcn/fcn_r50-d8_512x512_80k_ade20k.py
# Expected mIoU: 35.94 single scale, 37.94 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
model = dict(decode_head=dict(num_classes=150), auxiliary_head=dict(num_classes=150))
