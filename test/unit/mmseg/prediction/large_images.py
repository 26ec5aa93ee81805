"""Images, models and configs of the tests of large images, and what these write."""
import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from mmcv_replace.utils import Config
from mmseg.apis import init_segmentor
from mmseg.apis.inference import predict_images
from mmseg.prediction.large import predict_large
from mmseg.prediction.options import PredictOptions
from mmseg.prediction.outputs import Outputs
from mmseg.prediction.sources import Source, Sources

tifffile = pytest.importorskip('tifffile')

SIZE = (61, 97)
SLIDE = dict(mode='slide', crop_size=(16, 12), stride=(11, 7))
WHOLE = dict(mode='whole')
OWN = dict(img_ratios=[1.0], img_scale=None)
SHRINK = dict(img_scale=(50, 40))
RESIZE = dict(type='Resize', keep_ratio=True)
PALETTE = [[9, 8, 7], [200, 0, 0], [0, 0, 200]]


def make_config(test_cfg, view=OWN, steps=(RESIZE,), channels=3, loader=None, after=(), scale=120):
    norm = dict(type='Normalize', mean=[scale] * channels, std=[scale / 2] * channels,
                to_rgb=channels == 3)
    pipeline = [
        dict(type='LoadImageFromFile', **(loader or {})),
        dict(type='MultiScaleFlipAug', **{'flip': False, **view}, transforms=[
            *steps, dict(type='RandomFlip'), norm, *after,
            dict(type='ImageToTensor', keys=['img']), dict(type='Collect', keys=['img'])])]
    model = dict(
        type='EncoderDecoder', test_cfg=test_cfg,
        backbone=dict(type='ResNetV1c', depth=18, num_stages=1, strides=(1,), dilations=(1,),
                      in_channels=channels, out_indices=(0,), base_channels=8, stem_channels=8,
                      norm_cfg=dict(type='BN')),
        decode_head=dict(type='FCNHead', in_channels=8, channels=8, num_convs=0,
                         concat_input=False, num_classes=3, dropout_ratio=0))
    return Config(dict(model=model, data=dict(workers_per_gpu=0, test=dict(
        type='CustomDataset', img_dir='img', classes=('a', 'b', 'c'), pipeline=pipeline))))


@torch.no_grad()
def make_model(cfg):
    """With a centred classifier, so that predictions vary over an image."""
    torch.manual_seed(0)
    model = init_segmentor(cfg, None, 'cpu')
    channels = cfg.model.backbone.in_channels
    nn.init.normal_(model.decode_head.conv_seg.weight)
    model.decode_head.conv_seg.bias -= model.forward_dummy(
        torch.randn(2, channels, 32, 32)).mean((0, 2, 3))
    model.CLASSES, model.PALETTE = ('a', 'b', 'c'), PALETTE
    return model


def picture(channels=3, size=SIZE, scale=120):
    rng = np.random.default_rng(0)
    coarse = (rng.random((12, 17, channels)) * 3 - 0.5) * 2 * scale
    fine = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC).reshape(*size, channels)
    return (fine + rng.normal(0, scale / 4, fine.shape)).clip(0, 2 * scale)


def write(path, channels=3, dtype=np.uint8, size=SIZE, scale=120, **options):
    img = picture(channels, size, scale).astype(dtype)
    img = img[..., 0] if channels == 1 else img
    if path.suffix == '.npy':
        np.save(path, img)
    elif path.suffix == '.tif':
        tifffile.imwrite(path, img, tile=(16, 32), metadata=None, planarconfig=None if
                         channels == 1 else 'contig', photometric='rgb' if channels == 3 else
                         'minisblack', extrasamples=['unspecified'] * (channels - 1) if
                         channels > 3 else None, **options)
    else:
        Image.fromarray(img).save(path)
    return str(path)


def predict(cfg, model, path, tmp_path, **options):
    """What is written of an image in parts, and its line in the list."""
    options = PredictOptions(out=str(tmp_path / 'out'), **options)
    outputs = Outputs(options, Sources([], [], [], []), ('a', 'b', 'c'), np.uint8(PALETTE), 3)
    source = Source('some/a', 'some/a', path)
    predict_large(model, cfg, source, outputs)
    outputs.close()
    assert not list((tmp_path / 'out').rglob('*.tmp*'))
    record, = (json.loads(line) for line in
               (tmp_path / 'out/predictions.jsonl').read_text().splitlines())
    return tmp_path / 'out', record


def check_alike(found, cfg, model, path, exact=False):
    """The labels are those of the whole image, except where rounding decides."""
    expected, = predict_images(model, [path], 'probabilities')
    assert len(np.unique(expected.seg_map)) > 1
    if exact:
        np.testing.assert_array_equal(found, expected.seg_map)
        return
    chosen = np.take_along_axis(expected.scores, found[None].astype(int), axis=0)[0]
    np.testing.assert_allclose(chosen, expected.scores.max(axis=0), atol=1e-5)
    assert (found == expected.seg_map).mean() > 0.999
