# Paper: Non-local Neural Networks, CVPR 2018, arXiv:1711.07971
# Command: python tools/train.py configs/nonlocal_net/nonlocal_r101-d8_512x512_160k_ade20k.py
# Expected mIoU: 44.63 single scale, 45.79 multi-scale + flip (configs/results.json)
_base_ = './nonlocal_r50-d8_512x512_160k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
