# Paper: PSANet: Point-wise Spatial Attention Network for Scene Parsing, ECCV 2018
# Command: python tools/train.py configs/psanet/psanet_r101-d8_512x512_40k_voc12aug.py
# Expected mIoU: 77.73 single scale, 79.05 multi-scale + flip (configs/results.json)
_base_ = './psanet_r50-d8_512x512_40k_voc12aug.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
