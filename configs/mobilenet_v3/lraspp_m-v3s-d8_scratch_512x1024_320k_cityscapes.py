# Paper: Searching for MobileNetV3, ICCV 2019, arXiv:1905.02244
# Command: python tools/train.py configs/mobilenet_v3/lraspp_m-v3s-d8_scratch_512x1024_320k_cityscapes.py
# Expected mIoU: 62.74 single scale, 65.01 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/lraspp_m-v3-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_320k.py',
]
model = dict(
    backbone=dict(arch='small', out_indices=(0, 1, 12)),
    decode_head=dict(in_channels=(16, 16, 576)))
data = dict(samples_per_gpu=4, workers_per_gpu=4)
