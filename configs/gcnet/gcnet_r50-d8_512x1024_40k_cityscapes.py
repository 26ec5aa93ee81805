# Paper: GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond, arXiv:1904.11492
# Command: python tools/train.py configs/gcnet/gcnet_r50-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 77.69 single scale, 78.56 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/gcnet_r50-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
