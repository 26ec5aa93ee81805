# Paper: GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond, arXiv:1904.11492
# Command: python tools/train.py configs/gcnet/gcnet_r50-d8_512x512_40k_voc12aug.py
# Expected mIoU: 76.24 single scale, 77.63 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/gcnet_r50-d8.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
model = dict(decode_head=dict(num_classes=21), auxiliary_head=dict(num_classes=21))
