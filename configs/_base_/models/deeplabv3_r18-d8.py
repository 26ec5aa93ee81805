# DeepLabV3 on ResNet-18-V1c: heads of a quarter of the width, as its stages are narrower.
_base_ = './deeplabv3_r50-d8.py'
model = dict(
    pretrained='open-mmlab://resnet18_v1c',
    backbone=dict(depth=18),
    decode_head=dict(in_channels=512, channels=128),
    auxiliary_head=dict(in_channels=256, channels=64))
