# Paper: Fully Convolutional Networks for Semantic Segmentation, CVPR 2015, arXiv:1411.4038
# Command: python tools/train.py configs/fcn/fcn_r50-d8_480x480_40k_pascal_context.py
# Expected mIoU: no published figure to reproduce
_base_ = [
    '../_base_/models/fcn_r50-d8.py', '../_base_/datasets/pascal_context.py',
    '../_base_/default_runtime.py', '../_base_/schedules/schedule_40k.py',
]
# The auxiliary head has the 19 classes of its base, as where the weights come from. To train, add
# --cfg-options model.auxiliary_head.num_classes=60
model = dict(
    decode_head=dict(num_classes=60),
    test_cfg=dict(mode='slide', crop_size=(480, 480), stride=(320, 320)))
optimizer = dict(lr=0.004, weight_decay=0.0001)
