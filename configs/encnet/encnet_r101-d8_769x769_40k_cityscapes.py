# Paper: Context Encoding for Semantic Segmentation, CVPR 2018, arXiv:1803.08904
# Command: python tools/train.py configs/encnet/encnet_r101-d8_769x769_40k_cityscapes.py
# Expected mIoU: 74.25 single scale, 76.25 multi-scale + flip (configs/results.json)
_base_ = './encnet_r50-d8_769x769_40k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
