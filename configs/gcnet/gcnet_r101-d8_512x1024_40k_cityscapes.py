# Paper: GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond, arXiv:1904.11492
# Command: python tools/train.py configs/gcnet/gcnet_r101-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 78.28 single scale, 79.34 multi-scale + flip (configs/results.json)
_base_ = './gcnet_r50-d8_512x1024_40k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
