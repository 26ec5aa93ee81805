# Paper: Asymmetric Non-local Neural Networks for Semantic Segmentation, ICCV 2019, arXiv:1908.07678
# Command: python tools/train.py configs/ann/ann_r101-d8_512x512_80k_ade20k.py
# Expected mIoU: 42.94 single scale, 44.18 multi-scale + flip (configs/results.json)
_base_ = './ann_r50-d8_512x512_80k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
