# Paper: GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond, arXiv:1904.11492
# Command: python tools/train.py configs/gcnet/gcnet_r101-d8_512x512_80k_ade20k.py
# Expected mIoU: 42.82 single scale, 44.54 multi-scale + flip (configs/results.json)
_base_ = './gcnet_r50-d8_512x512_80k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
