"""Every registered component builds, runs forward and backward, and keeps its dtype.

A component that is registered needs an entry in the table of its registry, and no other test, to
be covered here. Backbones, necks, heads and losses have test files of their own.
"""
import pytest
import torch
from torch import nn

from mmseg.models import (
    BACKBONES,
    NECKS,
    SEGMENTORS,
    build_segmentor,
)

BN = dict(type='BN')
CLASSES = 3
RESNET = dict(depth=18, stem_channels=8, base_channels=4)
HEAD = dict(in_channels=32, channels=8, num_classes=CLASSES, norm_cfg=BN)

SEGMENTOR_OPTIONS = {
    'CascadeEncoderDecoder': dict(num_stages=1, backbone=dict(type='ResNet', **RESNET),
                                  decode_head=[dict(type='FCNHead', **HEAD)]),
    'EncoderDecoder': dict(backbone=dict(type='ResNet', **RESNET),
                           decode_head=dict(type='FCNHead', **HEAD)),
}


def options_of(table, name):
    assert name in table, f'{name} is registered: add its smallest options to the table above'
    return dict(type=name, **table[name])


def check_gradients(module, loss):
    loss.backward()
    for name, param in module.named_parameters():
        assert param.grad is not None, name
        assert torch.isfinite(param.grad).all(), name


@pytest.mark.parametrize('name', list(SEGMENTORS))
def test_segmentors(name):
    model = build_segmentor(options_of(SEGMENTOR_OPTIONS, name))
    model.init_weights()
    metas = [dict(ori_shape=(32, 40, 3), img_shape=(32, 40, 3), pad_shape=(32, 40, 3),
                  flip=False)] * 2
    img = torch.randn(2, 3, 32, 40)
    outputs = model.train_step(dict(img=img, img_metas=metas,
                                    gt_semantic_seg=torch.randint(CLASSES, (2, 1, 32, 40))), None)
    check_gradients(model, outputs['loss'])
    label_maps = model.eval()(return_loss=False, img=[img], img_metas=[metas])
    assert [label_map.shape for label_map in label_maps] == [(32, 40)] * 2


@pytest.mark.parametrize('registry', [BACKBONES, NECKS, SEGMENTORS],
                         ids=lambda registry: registry.name)
def test_registered_classes_are_modules(registry):
    assert all(issubclass(cls, nn.Module) for cls in registry.module_dict.values())
