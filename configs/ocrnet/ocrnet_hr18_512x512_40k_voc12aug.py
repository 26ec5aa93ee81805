# Paper: Object-Contextual Representations for Semantic Segmentation, ECCV 2020, arXiv:1909.11065
# Command: python tools/train.py configs/ocrnet/ocrnet_hr18_512x512_40k_voc12aug.py
# Expected mIoU: 74.98 single scale, 77.40 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/ocrnet_hr18.py', '../_base_/datasets/pascal_voc12_aug.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
model = dict(decode_head=[dict(head, num_classes=21) for head in _base_.model.decode_head])
