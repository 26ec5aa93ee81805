# Paper: PointRend: Image Segmentation as Rendering, CVPR 2020, arXiv:1912.08193
# Command: python tools/train.py configs/point_rend/pointrend_r101_512x512_160k_ade20k.py
# Expected mIoU: 40.02 single scale, 41.60 multi-scale + flip (configs/results.json)
_base_ = './pointrend_r50_512x512_160k_ade20k.py'
model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
