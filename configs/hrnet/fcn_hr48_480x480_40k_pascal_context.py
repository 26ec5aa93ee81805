# Paper: Deep High-Resolution Representation Learning for Visual Recognition, arXiv:1908.07919
# Command: python tools/train.py configs/hrnet/fcn_hr48_480x480_40k_pascal_context.py
# Expected mIoU: 45.14 single scale, 47.42 multi-scale + flip (configs/results.json)
_base_ = [
    '../_base_/models/fcn_hr48.py', '../_base_/datasets/pascal_context.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
model = dict(
    decode_head=dict(num_classes=60),
    test_cfg=dict(mode='slide', crop_size=(480, 480), stride=(320, 320)))
optimizer = dict(lr=0.004, weight_decay=0.0001)
