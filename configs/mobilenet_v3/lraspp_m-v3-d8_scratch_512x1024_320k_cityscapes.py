# Paper: Searching for MobileNetV3, ICCV 2019, arXiv:1905.02244
# Command: python tools/train.py configs/mobilenet_v3/lraspp_m-v3-d8_scratch_512x1024_320k_cityscapes.py
# Expected mIoU: 67.87 single scale, 69.78 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/lraspp_m-v3-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_320k.py',
]
data = dict(samples_per_gpu=4, workers_per_gpu=4)
