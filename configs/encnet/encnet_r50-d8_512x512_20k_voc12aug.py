# Paper: Context Encoding for Semantic Segmentation, CVPR 2018, arXiv:1803.08904
# Command: python tools/train.py configs/encnet/encnet_r50-d8_512x512_20k_voc12aug.py
# Expected mIoU: no published figure to reproduce
_base_ = [
    '../_base_/models/encnet_r50-d8.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_20k.py',
]
model = dict(decode_head=dict(num_classes=21), auxiliary_head=dict(num_classes=21))
