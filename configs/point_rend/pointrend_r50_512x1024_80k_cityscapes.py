# Paper: PointRend: Image Segmentation as Rendering, CVPR 2020, arXiv:1912.08193
# Command: python tools/train.py configs/point_rend/pointrend_r50_512x1024_80k_cityscapes.py
# Expected mIoU: 76.47 single scale, 78.13 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/pointrend_r50.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
lr_config = dict(warmup='linear', warmup_iters=200)
