# Paper: Context Encoding for Semantic Segmentation, CVPR 2018, arXiv:1803.08904
# Command: python tools/train.py configs/encnet/encnet_r50-d8_512x512_160k_ade20k.py
# Expected mIoU: 40.10 single scale, 41.71 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/encnet_r50-d8.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
model = dict(decode_head=dict(num_classes=150), auxiliary_head=dict(num_classes=150))
