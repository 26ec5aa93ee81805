# Paper: Rethinking Atrous Convolution for Semantic Image Segmentation, arXiv:1706.05587
# Command: python tools/train.py configs/deeplabv3/deeplabv3_r101-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 77.12 single scale, 79.61 multi-scale + flip (configs/results.json)
_base_ = './deeplabv3_r50-d8_512x1024_40k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
