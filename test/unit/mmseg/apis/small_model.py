"""A network of milliseconds for images of any number of bands, and its config."""
from mmcv_replace.utils import Config

SIZE = (24, 30)


def config(folder, loader, channels, suffix='.png', scale=120.0, **settings):
    norm = dict(type='Normalize', mean=[scale] * channels, std=[scale / 2] * channels, to_rgb=False)
    steps = [loader, dict(type='MultiScaleFlipAug', img_scale=SIZE[::-1], flip=False, transforms=[
        dict(type='Resize', keep_ratio=True), dict(type='RandomFlip'), norm,
        dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])])]
    model = dict(
        type='EncoderDecoder',
        backbone=dict(type='ResNetV1c', depth=18, num_stages=1, strides=(1,), dilations=(1,),
                      in_channels=channels, out_indices=(0,), base_channels=8, stem_channels=8,
                      norm_cfg=dict(type='BN')),
        decode_head=dict(type='FCNHead', in_channels=8, channels=8, num_convs=0,
                         concat_input=False, num_classes=3, dropout_ratio=0))
    test = dict(type='CustomDataset', data_root=str(folder), img_dir='img', img_suffix=suffix,
                classes=('a', 'b', 'c'), pipeline=steps)
    return Config(dict(model=model, data=dict(workers_per_gpu=0, test=test), **settings))
