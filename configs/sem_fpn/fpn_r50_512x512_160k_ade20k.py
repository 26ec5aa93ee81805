# Paper: Panoptic Feature Pyramid Networks, CVPR 2019, arXiv:1901.02446
# Command: python tools/train.py configs/sem_fpn/fpn_r50_512x512_160k_ade20k.py
# Expected mIoU: 37.49 single scale, 39.09 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fpn_r50.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
model = dict(decode_head=dict(num_classes=150))
