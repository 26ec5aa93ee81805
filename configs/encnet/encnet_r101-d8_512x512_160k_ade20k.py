# Paper: Context Encoding for Semantic Segmentation, CVPR 2018, arXiv:1803.08904
# Command: python tools/train.py configs/encnet/encnet_r101-d8_512x512_160k_ade20k.py
# Expected mIoU: 42.61 single scale, 44.01 multi-scale + flip (configs/results.json)
_base_ = './encnet_r50-d8_512x512_160k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
