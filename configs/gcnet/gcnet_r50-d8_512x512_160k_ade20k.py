# Paper: GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond, arXiv:1904.11492
# Command: python tools/train.py configs/gcnet/gcnet_r50-d8_512x512_160k_ade20k.py
# Expected mIoU: 42.37 single scale, 43.52 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/gcnet_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
model = dict(decode_head=dict(num_classes=150), auxiliary_head=dict(num_classes=150))
