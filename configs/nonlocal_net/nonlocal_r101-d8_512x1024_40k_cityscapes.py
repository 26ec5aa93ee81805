# Paper: Non-local Neural Networks, CVPR 2018, arXiv:1711.07971
# Command: python tools/train.py configs/nonlocal_net/nonlocal_r101-d8_512x1024_40k_cityscapes.py
# Expected mIoU: 78.66 single scale (configs/results.json)
_base_ = './nonlocal_r50-d8_512x1024_40k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
