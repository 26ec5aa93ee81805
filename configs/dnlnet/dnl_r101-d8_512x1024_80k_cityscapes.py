# Paper: Disentangled Non-Local Neural Networks, ECCV 2020, arXiv:2006.06668
# Command: python tools/train.py configs/dnlnet/dnl_r101-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 80.41 single scale (configs/results.json)
_base_ = './dnl_r50-d8_512x1024_80k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
