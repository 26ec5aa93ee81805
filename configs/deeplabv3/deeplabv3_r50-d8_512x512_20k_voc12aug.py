# Paper: Rethinking Atrous Convolution for Semantic Image Segmentation, arXiv:1706.05587
# Command: python tools/train.py configs/deeplabv3/deeplabv3_r50-d8_512x512_20k_voc12aug.py
# Expected mIoU: 76.17 single scale, 77.42 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/deeplabv3_r50-d8.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_20k.py',
]
model = dict(decode_head=dict(num_classes=21), auxiliary_head=dict(num_classes=21))
