# Paper: Rethinking Atrous Convolution for Semantic Image Segmentation, arXiv:1706.05587
# Command: python tools/train.py configs/deeplabv3/deeplabv3_r101-d8_480x480_80k_pascal_context.py
# Expected mIoU: 46.42 single scale, 47.53 multi-scale + flip (configs/results.json)
_base_ = './deeplabv3_r50-d8_480x480_80k_pascal_context.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
