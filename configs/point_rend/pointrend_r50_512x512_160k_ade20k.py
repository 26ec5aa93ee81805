# Paper: PointRend: Image Segmentation as Rendering, CVPR 2020, arXiv:1912.08193
# Command: python tools/train.py configs/point_rend/pointrend_r50_512x512_160k_ade20k.py
# Expected mIoU: 37.64 single scale, 39.17 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/pointrend_r50.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
model = dict(decode_head=[dict(head, num_classes=150) for head in _base_.model.decode_head])
lr_config = dict(warmup='linear', warmup_iters=200)
