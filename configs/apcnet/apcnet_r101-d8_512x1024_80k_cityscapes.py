# Paper: Adaptive Pyramid Context Network for Semantic Segmentation, CVPR 2019
# Command: python tools/train.py configs/apcnet/apcnet_r101-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 79.64 single scale, 80.61 multi-scale + flip (configs/results.json)
_base_ = './apcnet_r50-d8_512x1024_80k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
