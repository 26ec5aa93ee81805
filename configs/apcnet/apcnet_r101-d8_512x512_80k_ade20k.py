# Paper: Adaptive Pyramid Context Network for Semantic Segmentation, CVPR 2019
# Command: python tools/train.py configs/apcnet/apcnet_r101-d8_512x512_80k_ade20k.py
# Expected mIoU: 45.54 single scale, 46.65 multi-scale + flip (configs/results.json)
_base_ = './apcnet_r50-d8_512x512_80k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
