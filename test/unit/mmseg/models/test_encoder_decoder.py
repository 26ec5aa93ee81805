"""EncoderDecoder in training: wiring, losses, pretrained weights, what the runner sees."""
import copy
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.models import BACKBONES, HEADS, NECKS, EncoderDecoder
from mmseg.models.segmentors import BaseSegmentor


def batch(make_metas, size=(32, 40), images=2):
    label = torch.randint(5, (images, 1, *size))
    label[:, :, :4] = 255
    return dict(img=torch.randn(images, 3, *size), img_metas=make_metas(*[size] * images),
                gt_semantic_seg=label)


def test_losses_of_both_heads(build_tiny, make_metas):
    model = build_tiny()
    data = batch(make_metas)
    losses = model(**data)
    assert list(losses) == ['decode.loss_seg', 'decode.acc_seg', 'aux.loss_seg', 'aux.acc_seg']
    x = model.extract_feat(data['img'])
    own = model.auxiliary_head.forward_train(x, None, data['gt_semantic_seg'], None)
    torch.testing.assert_close(losses['aux.loss_seg'], own['loss_seg'], rtol=1e-4, atol=1e-5)


def test_several_auxiliary_heads(build_tiny, tiny_cfg, make_metas):
    aux = tiny_cfg['auxiliary_head']
    model = build_tiny(auxiliary_head=[aux, dict(aux, in_index=1, in_channels=8)])
    assert {name.split('.')[0] for name in model(**batch(make_metas))} == {'decode', 'aux_0',
                                                                          'aux_1'}


def test_auxiliary_heads_draw_their_weights(build_tiny, tiny_cfg):
    @HEADS.register_module()
    class SketchHead(nn.Module):
        calls = 0

        def init_weights(self):
            self.calls += 1

    try:
        model = build_tiny(auxiliary_head=[tiny_cfg['auxiliary_head'], dict(type='SketchHead')])
    finally:
        del HEADS.module_dict['SketchHead']
    model.init_weights()
    assert model.auxiliary_head[1].calls == 1


def test_without_auxiliary_head(build_tiny, make_metas):
    model = build_tiny(auxiliary_head=None)
    assert not model.with_auxiliary_head
    assert model.with_decode_head
    assert {name.split('.')[0] for name in model(**batch(make_metas))} == {'decode'}


def test_neck(build_tiny):
    @NECKS.register_module()
    class Doubling(nn.Module):
        def forward(self, inputs):
            return [2 * x for x in inputs]

    try:
        model = build_tiny(neck=dict(type='Doubling')).eval()
    finally:
        del NECKS.module_dict['Doubling']
    assert model.with_neck
    assert not build_tiny().with_neck
    img = torch.randn(1, 3, 32, 32)
    for plain, doubled in zip(model.backbone(img), model.extract_feat(img), strict=True):
        torch.testing.assert_close(doubled, 2 * plain)


def test_train_cfg_and_test_cfg_reach_the_heads(build_tiny, make_metas, monkeypatch):
    model = build_tiny(train_cfg=dict(a=1), test_cfg=dict(mode='whole', b=2))
    seen = []
    monkeypatch.setattr(model.decode_head, 'forward_train',
                        lambda x, metas, gt, cfg: seen.append(cfg) or {})
    monkeypatch.setattr(model.decode_head, 'forward_test',
                        lambda x, metas, cfg: seen.append(cfg) or torch.zeros(2, 5, 4, 4))
    data = batch(make_metas)
    model(**data)
    model.forward_dummy(data['img'])
    assert seen == [dict(a=1), dict(mode='whole', b=2)]


def test_train_step(build_tiny, make_metas):
    model = build_tiny()
    out = model.train_step(batch(make_metas, images=3), None)
    assert out['num_samples'] == 3
    log = out['log_vars']
    assert list(log) == ['decode.loss_seg', 'decode.acc_seg', 'aux.loss_seg', 'aux.acc_seg',
                         'loss']
    assert all(value.shape == () and not value.requires_grad for value in log.values())
    torch.testing.assert_close(log['loss'], log['decode.loss_seg'] + log['aux.loss_seg'])
    out['loss'].backward()
    assert model.backbone.stem[0].weight.grad is not None


def test_val_step_has_its_own_names(build_tiny, make_metas):
    model = build_tiny().eval()
    data = batch(make_metas)
    trained, validated = model.train_step(data, None), model.val_step(data)
    assert validated['num_samples'] == 2
    assert validated['log_vars'] == {f'{name}_val': value
                                     for name, value in trained['log_vars'].items()}


def test_parsing_of_losses():
    losses = {'a.loss_x': torch.tensor([1.0, 3.0], requires_grad=True),
              'loss_list': [torch.tensor(2.0), torch.tensor([4.0, 6.0])],
              'acc': torch.tensor([50.0])}
    loss, log = BaseSegmentor._parse_losses(losses)
    assert loss.item() == 2 + 2 + 5
    assert loss.requires_grad
    assert {name: value.item() for name, value in log.items()} == {
        'a.loss_x': 2, 'loss_list': 7, 'acc': 50, 'loss': 9}


@pytest.mark.parametrize(('losses', 'message'), [
    (dict(loss=1.0), "the loss 'loss' is 1.0"), (dict(loss=[]), "the loss 'loss' is"),
    (dict(acc=torch.zeros(1)), "none of .'acc'. has 'loss' in its name")])
def test_losses_that_cannot_be_parsed(losses, message):
    with pytest.raises(ArgumentError, match=message):
        BaseSegmentor._parse_losses(losses)


class NoHostSync(TorchDispatchMode):
    """Refuses what makes the host wait for a device, or gives a shape that depends on data."""

    REFUSED = ('_local_scalar_dense', 'nonzero', 'masked_select', 'unique', 'equal', 'is_nonzero')

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().removeprefix('aten::').split('.')[0]
        assert not name.startswith(self.REFUSED), name
        if name in ('index', 'index_put', 'index_put_'):
            assert not any(index is not None and index.dtype == torch.bool for index in args[1])
        return func(*args, **(kwargs or {}))


def test_the_guard_notices():
    x = torch.arange(4.0)
    for action in (lambda: x[x > 1], lambda: x.sum().item(), lambda: (x > 1).nonzero()):
        with pytest.raises(AssertionError), NoHostSync():
            action()


CE = dict(type='CrossEntropyLoss')


@pytest.mark.parametrize('loss', [
    CE, dict(CE, use_sigmoid=True), dict(CE, class_weight=[1.0, 2.0, 3.0, 4.0, 5.0]),
    dict(CE, avg_non_ignore=True), dict(CE, use_sigmoid=True, avg_non_ignore=True)])
@pytest.mark.parametrize('sampler', [
    None, dict(type='OHEMPixelSampler', thresh=0.7, min_kept=20),
    dict(type='OHEMPixelSampler', min_kept=20)])
def test_no_host_synchronisation_in_a_training_step(build_tiny, tiny_cfg, make_metas, loss,
                                                    sampler, monkeypatch):
    """As on an accelerator; on a host, reading a value costs nothing."""
    monkeypatch.setattr(sys.modules['mmseg.models.losses.accuracy'], 'is_asynchronous',
                        lambda device: True)
    head = dict(tiny_cfg['decode_head'], loss_decode=loss, sampler=sampler)
    model = build_tiny(decode_head=head)
    data = batch(make_metas)
    with NoHostSync():
        model.train_step(data, None)['loss'].backward()


@pytest.mark.parametrize('with_cp', [False, True])
def test_low_precision_training_keeps_the_loss_in_float32(build_tiny, tiny_cfg, make_metas,
                                                         with_cp):
    model = build_tiny(backbone=dict(tiny_cfg['backbone'], with_cp=with_cp))
    data = batch(make_metas)
    plain = model.train_step(data, None)['loss'].item()
    with torch.autocast('cpu', torch.bfloat16):
        loss = model.train_step(data, None)['loss']
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(plain, rel=0.05)
    assert all(torch.isfinite(param.grad).all() for param in model.parameters())


def test_weights_are_drawn_from_the_seed(build_tiny):
    one, two = build_tiny(), build_tiny()
    for model in (one, two):
        torch.manual_seed(3)
        model.init_weights()
    for (name, a), b in zip(one.named_parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b), name
    assert one.decode_head.conv_seg.weight.std() < 0.03


def test_pretrained_backbone(build_tiny, tiny_cfg, tmp_path):
    source = build_tiny()
    for norm in source.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.weight)
    path = tmp_path / 'backbone.pth'
    torch.save(dict(state_dict=source.backbone.state_dict()), path)
    model = build_tiny(pretrained=str(path))
    before = model.backbone.stem[1].weight.clone()
    assert not torch.equal(before, source.backbone.stem[1].weight)
    model.init_weights()
    for key, value in source.backbone.state_dict().items():
        assert torch.equal(model.backbone.state_dict()[key], value), key
    for option in (dict(pretrained='b.pth'), dict(init_cfg=dict(type='Constant', val=1))):
        with pytest.raises(ConfigError, match='keep one of them'):
            build_tiny(pretrained=str(path), backbone={**tiny_cfg['backbone'], **option})


def test_pretrained_model(build_tiny, tmp_path):
    source = build_tiny()
    torch.save(dict(state_dict=source.state_dict()), tmp_path / 'model.pth')
    model = build_tiny(init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'model.pth')))
    nn.init.zeros_(model.decode_head.conv_seg.weight)
    model.init_weights()
    for key, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


def test_backbones_written_for_the_old_line(tiny_cfg):
    @BACKBONES.register_module()
    class Old(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 32, 1)
            self.calls = []

        def init_weights(self, pretrained=None):
            self.calls.append(pretrained)

        def forward(self, x):
            return [self.conv(x)]

    try:
        head = dict(tiny_cfg['decode_head'], in_index=0)
        model = EncoderDecoder(dict(type='Old'), head, pretrained='weights.pth')
    finally:
        del BACKBONES.module_dict['Old']
    model.init_weights()
    model.init_weights()
    assert model.backbone.calls == ['weights.pth']


@torch.no_grad()
def test_a_subclass_may_infer_in_its_own_way(build_tiny, tiny_cfg, make_metas):
    class Mirrored(EncoderDecoder):
        def inference(self, img, img_meta, rescale):
            straight = super().inference(img, img_meta, rescale)
            return (straight + super().inference(img.flip(3), img_meta, rescale).flip(3)) / 2

    plain = build_tiny().eval()
    cfg = {key: value for key, value in tiny_cfg.items() if key != 'type'}
    model = Mirrored(**cfg).eval()
    model.load_state_dict(plain.state_dict())
    img = torch.randn(2, 3, 32, 32)
    metas = make_metas((32, 32), (32, 32))
    expected = (plain.forward_dummy(img).softmax(1)
                + plain.forward_dummy(img.flip(3)).flip(3).softmax(1)).argmax(1)
    for views in (1, 2):
        found = model([img] * views, [metas] * views, return_loss=False)
        assert np.array_equal(np.stack(found), expected.numpy())
        maps, scores = zip(*model([img] * views, [metas] * views, return_loss=False,
                                  scores='confidence'), strict=True)
        assert np.array_equal(np.stack(maps), expected.numpy())
        assert scores[0].shape == (32, 32)


def test_models_can_be_copied(build_tiny, tiny_cfg):
    head = dict(tiny_cfg['decode_head'], sampler=dict(type='OHEMPixelSampler'))
    model = build_tiny(decode_head=head).eval()
    twin = copy.deepcopy(model)
    img = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(twin.forward_dummy(img), model.forward_dummy(img))
    assert twin.decode_head.sampler.context is twin.decode_head
