# Paper: Encoder-Decoder with Atrous Separable Convolution, ECCV 2018, arXiv:1802.02611
# Command: python tools/train.py configs/deeplabv3plus/deeplabv3plus_r101-d8_769x769_80k_cityscapes.py
# Expected mIoU: 80.65 single scale, 81.47 multi-scale + flip (configs/results.json)
_base_ = './deeplabv3plus_r50-d8_769x769_80k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
