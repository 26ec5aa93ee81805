# Paper: Panoptic Feature Pyramid Networks, CVPR 2019, arXiv:1901.02446
# Command: python tools/train.py configs/sem_fpn/fpn_r101_512x512_160k_ade20k.py
# Expected mIoU: 39.35 single scale, 40.72 multi-scale + flip (configs/results.json)
_base_ = './fpn_r50_512x512_160k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
