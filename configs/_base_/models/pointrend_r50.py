# PointRend (arXiv:1912.08193) after a semantic FPN: points are decided again where that is unsure.
_base_ = './fpn_r50.py'
norm_cfg = dict(type='SyncBN', requires_grad=True)
_head = dict(
    dropout_ratio=-1,
    num_classes=19,
    align_corners=False,
    loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0))
model = dict(
    type='CascadeEncoderDecoder',
    num_stages=2,
    decode_head=[
        dict(
            type='FPNHead',
            in_channels=[256, 256, 256, 256],
            in_index=[0, 1, 2, 3],
            feature_strides=[4, 8, 16, 32],
            channels=128,
            norm_cfg=norm_cfg,
            **_head),
        dict(
            type='PointHead',
            in_channels=[256],
            in_index=[0],
            channels=256,
            num_fcs=3,
            coarse_pred_each_layer=True,
            **_head),
    ],
    train_cfg=dict(num_points=2048, oversample_ratio=3, importance_sample_ratio=0.75),
    test_cfg=dict(subdivision_steps=2, subdivision_num_points=8196, scale_factor=2))
