# Paper: GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond, arXiv:1904.11492
# Command: python tools/train.py configs/gcnet/gcnet_r101-d8_512x512_20k_voc12aug.py
# Expected mIoU: 77.41 single scale, 78.56 multi-scale + flip (configs/results.json)
_base_ = './gcnet_r50-d8_512x512_20k_voc12aug.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
