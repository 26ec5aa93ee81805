# Paper: Disentangled Non-Local Neural Networks, ECCV 2020, arXiv:2006.06668
# Command: python tools/train.py configs/dnlnet/dnl_r101-d8_512x512_160k_ade20k.py
# Expected mIoU: 44.25 single scale, 45.78 multi-scale + flip (configs/results.json)
_base_ = './dnl_r50-d8_512x512_160k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
