# Paper: Asymmetric Non-local Neural Networks for Semantic Segmentation, ICCV 2019, arXiv:1908.07678
# Command: python tools/train.py configs/ann/ann_r101-d8_769x769_40k_cityscapes.py
# Expected mIoU: 79.32 single scale, 80.94 multi-scale + flip (configs/results.json)
_base_ = './ann_r50-d8_769x769_40k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
