# Paper: Encoder-Decoder with Atrous Separable Convolution, ECCV 2018, arXiv:1802.02611
# Command: python tools/train.py configs/deeplabv3plus/deeplabv3plus_r18-d8_512x1024_80k_cityscapes.py
# Expected mIoU: 76.89 single scale, 78.76 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/deeplabv3plus_r18-d8.py', '../_base_/datasets/cityscapes.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_80k.py',
]
