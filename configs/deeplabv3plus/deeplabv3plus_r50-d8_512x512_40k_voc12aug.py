# Paper: Encoder-Decoder with Atrous Separable Convolution, ECCV 2018, arXiv:1802.02611
# Command: python tools/train.py configs/deeplabv3plus/deeplabv3plus_r50-d8_512x512_40k_voc12aug.py
# Expected mIoU: 76.81 single scale, 77.57 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/deeplabv3plus_r50-d8.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
model = dict(decode_head=dict(num_classes=21), auxiliary_head=dict(num_classes=21))
