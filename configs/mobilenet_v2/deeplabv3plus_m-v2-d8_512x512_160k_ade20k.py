# Paper: MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018, arXiv:1801.04381
# Command: python tools/train.py configs/mobilenet_v2/deeplabv3plus_m-v2-d8_512x512_160k_ade20k.py
# Expected mIoU: 34.02 single scale (configs/results.json)
_base_ = '../deeplabv3plus/deeplabv3plus_r50-d8_512x512_160k_ade20k.py'
model = dict(
    pretrained='mmcls://mobilenet_v2',
    backbone=dict(
        _delete_=True,
        type='MobileNetV2',
        widen_factor=1.,
        strides=(1, 2, 2, 1, 1, 1, 1),
        dilations=(1, 1, 1, 2, 2, 4, 4),
        out_indices=(1, 2, 4, 6)),
    decode_head=dict(in_channels=320, c1_in_channels=24),
    auxiliary_head=dict(in_channels=96))
