# Paper: Disentangled Non-Local Neural Networks, ECCV 2020, arXiv:2006.06668
# Command: python tools/train.py configs/dnlnet/dnl_r50-d8_512x512_160k_ade20k.py
# Expected mIoU: 41.87 single scale, 43.01 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/dnl_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
model = dict(decode_head=dict(num_classes=150), auxiliary_head=dict(num_classes=150))
