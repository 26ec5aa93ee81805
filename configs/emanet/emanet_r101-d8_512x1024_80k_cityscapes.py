# Paper: Expectation-Maximization Attention Networks, ICCV 2019, arXiv:1907.13426
# Command: python tools/train.py configs/emanet/emanet_r101-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 79.10 single scale, 81.21 multi-scale + flip (configs/results.json)
_base_ = './emanet_r50-d8_512x1024_80k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
