# DMNet (ICCV 2019) on ResNet-50-V1c: convolutions whose filters come from the image.
_base_ = './resnet50-d8.py'
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    decode_head=dict(
        type='DMHead',
        in_channels=2048,
        in_index=3,
        channels=512,
        filter_sizes=(1, 3, 5, 7),
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0)))
