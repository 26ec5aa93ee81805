# Paper: Asymmetric Non-local Neural Networks for Semantic Segmentation, ICCV 2019, arXiv:1908.07678
# Command: python tools/train.py configs/ann/ann_r101-d8_512x512_20k_voc12aug.py
# Expected mIoU: 77.47 single scale, 78.70 multi-scale + flip (configs/results.json)
_base_ = './ann_r50-d8_512x512_20k_voc12aug.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
