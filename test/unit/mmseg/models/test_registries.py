"""Every registered component builds, runs forward and backward, and keeps its dtype.

A component that is registered needs an entry in the table of its registry, and no other test, to
be covered here.
"""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn import fuse_conv_bn
from mmseg.models import (
    BACKBONES,
    HEADS,
    LOSSES,
    NECKS,
    SEGMENTORS,
    build_head,
    build_loss,
    build_segmentor,
)

BN = dict(type='BN')
CLASSES = 3
RESNET = dict(depth=18, stem_channels=8, base_channels=4)
WIDTHS = (4, 8, 16)  # channels of the maps that heads and necks are given, sizes 16, 8 and 8
HEAD = dict(in_channels=WIDTHS[-1], channels=8, num_classes=CLASSES, norm_cfg=BN)

HEAD_OPTIONS = {
    'FCNHead': HEAD,
    'PSPHead': HEAD,
}
LOSS_OPTIONS = {
    'CrossEntropyLoss': {},
}
SEGMENTOR_OPTIONS = {
    'EncoderDecoder': dict(backbone=dict(type='ResNet', **RESNET),
                           decode_head=dict(type='FCNHead', **HEAD | dict(in_channels=32))),
}


def options_of(table, name):
    assert name in table, f'{name} is registered: add its smallest options to the table above'
    return dict(type=name, **table[name])


def maps(dtype=torch.float32):
    return [torch.randn(2, width, size, size, dtype=dtype, requires_grad=True)
            for width, size in zip(WIDTHS, (16, 8, 8), strict=True)]


def check_gradients(module, loss):
    loss.backward()
    for name, param in module.named_parameters():
        assert param.grad is not None, name
        assert torch.isfinite(param.grad).all(), name


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('name', list(HEADS))
def test_heads(name, dtype):
    head = build_head(options_of(HEAD_OPTIONS, name)).to(dtype)
    label = torch.randint(CLASSES, (2, 1, 20, 20))
    losses = head.forward_train(maps(dtype), [{}, {}], label, None)
    check_gradients(head, sum(loss for key, loss in losses.items() if 'loss' in key))
    logits = head.eval().forward_test(maps(dtype), [{}, {}], None)
    assert logits.shape[:2] == (2, CLASSES)
    assert logits.dtype == dtype


def randomise_norms(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for value in (module.weight, module.bias, module.running_mean, module.running_var):
                nn.init.uniform_(value, 0.5, 1.5)
    return model.double().eval()


@pytest.mark.parametrize('name', list(HEADS))
def test_norms_run_behind_the_convolution_that_is_named_before_them(name):
    """What the toolkit folds without being asked, see `apis.acceleration.prepare_inference`."""
    model, x = build_head(options_of(HEAD_OPTIONS, name)), maps(torch.float64)
    model = randomise_norms(model)
    with torch.no_grad():
        plain = model(x)
        folded = fuse_conv_bn(model)(x)
    torch.testing.assert_close(folded, plain)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.modules())


@pytest.mark.parametrize('name', list(LOSSES))
def test_losses(name):
    loss = build_loss(options_of(LOSS_OPTIONS, name))
    score = torch.randn(2, CLASSES, 5, 5, requires_grad=True)
    label = torch.randint(CLASSES, (2, 5, 5))
    label[:, 0] = 255
    value = loss(score, label, ignore_index=255)
    assert value.dim() == 0
    value.backward()
    assert torch.isfinite(score.grad).all()
    assert score.grad[:, :, 0].eq(0).all()
    label[:] = 255
    assert loss(score, label, ignore_index=255).item() == 0


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


@pytest.mark.parametrize('registry', [BACKBONES, NECKS, HEADS, LOSSES, SEGMENTORS],
                         ids=lambda registry: registry.name)
def test_registered_classes_are_modules(registry):
    assert all(issubclass(cls, nn.Module) for cls in registry.module_dict.values())
