# Paper: Rethinking Atrous Convolution for Semantic Image Segmentation, arXiv:1706.05587
# Command: python tools/train.py configs/deeplabv3/deeplabv3_r101-d8_512x512_20k_voc12aug.py
# Expected mIoU: 78.70 single scale, 79.95 multi-scale + flip (configs/results.json)
_base_ = './deeplabv3_r50-d8_512x512_20k_voc12aug.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
