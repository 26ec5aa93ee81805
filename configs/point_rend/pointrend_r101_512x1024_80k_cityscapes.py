# Paper: PointRend: Image Segmentation as Rendering, CVPR 2020, arXiv:1912.08193
# Command: python tools/train.py configs/point_rend/pointrend_r101_512x1024_80k_cityscapes.py
# Expected mIoU: 78.30 single scale, 79.97 multi-scale + flip (configs/results.json)
_base_ = './pointrend_r50_512x1024_80k_cityscapes.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
