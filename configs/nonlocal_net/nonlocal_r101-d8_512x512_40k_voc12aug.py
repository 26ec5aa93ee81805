# Paper: Non-local Neural Networks, CVPR 2018, arXiv:1711.07971
# Command: python tools/train.py configs/nonlocal_net/nonlocal_r101-d8_512x512_40k_voc12aug.py
# Expected mIoU: 78.27 single scale, 79.12 multi-scale + flip (configs/results.json)
_base_ = './nonlocal_r50-d8_512x512_40k_voc12aug.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
