# Paper: GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond, arXiv:1904.11492
# Command: python tools/train.py configs/gcnet/gcnet_r50-d8_512x512_80k_ade20k.py
# Expected mIoU: 41.47 single scale, 42.85 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/gcnet_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
model = dict(decode_head=dict(num_classes=150), auxiliary_head=dict(num_classes=150))
