# Paper: Object-Contextual Representations for Semantic Segmentation, ECCV 2020, arXiv:1909.11065
# Command: python tools/train.py configs/ocrnet/ocrnet_hr18s_512x512_160k_ade20k.py
# Expected mIoU: 37.19 single scale, 38.40 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ocrnet_hr18s.py', '../_base_/datasets/ade20k.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_160k.py',
]
model = dict(decode_head=[dict(head, num_classes=150) for head in _base_.model.decode_head])
