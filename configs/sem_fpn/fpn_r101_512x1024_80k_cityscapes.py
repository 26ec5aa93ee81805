# Paper: Panoptic Feature Pyramid Networks, CVPR 2019, arXiv:1901.02446
# Command: python tools/train.py configs/sem_fpn/fpn_r101_512x1024_80k_cityscapes.py
# Expected mIoU: 75.80 single scale, 77.40 multi-scale + flip (configs/results.json)
_base_ = './fpn_r50_512x1024_80k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
