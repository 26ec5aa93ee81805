"""Small models."""
import copy

import pytest
import torch
from torch import nn

from mmseg.models import build_segmentor

BN = dict(type='BN')
TINY = dict(
    type='EncoderDecoder',
    backbone=dict(type='ResNetV1c', depth=18, stem_channels=8, base_channels=4,
                  dilations=(1, 1, 2, 4), strides=(1, 2, 1, 1), norm_cfg=BN,
                  contract_dilation=True),
    decode_head=dict(type='PSPHead', in_channels=32, in_index=3, channels=8, num_classes=5,
                     norm_cfg=BN, dropout_ratio=0),
    auxiliary_head=dict(type='FCNHead', in_channels=16, in_index=2, channels=8, num_convs=1,
                        concat_input=False, num_classes=5, norm_cfg=BN, dropout_ratio=0,
                        loss_decode=dict(type='CrossEntropyLoss', loss_weight=0.4)))


@pytest.fixture
def tiny_cfg():
    """Config of a PSPNet with a few thousand weights and five classes."""
    return copy.deepcopy(TINY)


@pytest.fixture
def build_tiny(tiny_cfg):
    """Build it with changes; the classifier is centred, so that predictions vary over an image."""

    @torch.no_grad()
    def build(**changes):
        torch.manual_seed(0)
        model = build_segmentor({**tiny_cfg, **changes}).eval()
        classifier = model.decode_head.conv_seg
        nn.init.normal_(classifier.weight)
        classifier.bias -= model.forward_dummy(torch.randn(2, 3, 64, 64)).mean((0, 2, 3))
        return model.train()

    return build


@pytest.fixture
def make_metas():
    """Meta dicts of images whose sizes are (original, resized, padded)."""

    def make(*sizes, **common):
        metas = []
        for size in sizes:
            original, resized, padded = size if isinstance(size[0], tuple) else (size,) * 3
            metas.append(dict(ori_shape=(*original, 3), img_shape=(*resized, 3),
                              pad_shape=(*padded, 3), flip=False, **common))
        return metas

    return make
