# OCRNet (arXiv:1909.11065) on ResNet-50-V1c: a first guess on stage 3, regions of it for stage 4.
_base_ = './resnet50.py'
norm_cfg = dict(type='SyncBN', requires_grad=True)
_head = dict(dropout_ratio=0.1, num_classes=19, norm_cfg=norm_cfg, align_corners=False)
model = dict(
    type='CascadeEncoderDecoder',
    num_stages=2,
    backbone=dict(dilations=(1, 1, 2, 4), strides=(1, 2, 1, 1)),
    decode_head=[
        dict(
            type='FCNHead',
            in_channels=1024,
            in_index=2,
            channels=256,
            num_convs=1,
            concat_input=False,
            loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=0.4),
            **_head),
        dict(
            type='OCRHead',
            in_channels=2048,
            in_index=3,
            channels=512,
            ocr_channels=256,
            loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0),
            **_head),
    ])
