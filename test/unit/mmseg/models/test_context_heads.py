"""Heads of channel encodings, bases, adaptive contexts and dynamic filters, each by itself."""
import copy

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.models import build_head
from mmseg.models.decode_heads import ema_head

MAPS = dict(in_channels=(4, 8), in_index=(0, 1))
HEADS = {'EncHead': dict(MAPS, num_codes=4), 'APCHead': {}, 'DMHead': {},
         'EMAHead': dict(ema_channels=6, num_bases=3, num_stages=2)}


def make(name, **options):
    torch.manual_seed(0)
    head = dict(type=name, in_channels=8, channels=6, num_classes=5, dropout_ratio=0,
                norm_cfg=dict(type='BN'))
    return build_head({**head, **HEADS[name], **options})


def maps(number=2, size=(6, 5)):
    return [torch.randn(number, width, *size) for width in (4, 8)]


@pytest.mark.parametrize(('name', 'options', 'words'), [
    ('APCHead', dict(pool_scales=3), 'APCHead: pool_scales=3 must be a list of sizes'),
    ('APCHead', dict(pool_scales=(0, 1)), r'APCHead: pool_scales=\(0, 1\) must be a list'),
    ('APCHead', dict(pool_scales=()), r'APCHead: pool_scales=\(\) must be a list of sizes, such'),
    ('DMHead', dict(filter_sizes=3), 'DMHead: filter_sizes=3 must be a list of sizes'),
    ('DMHead', dict(filter_sizes=[1, 0.5]), r'DMHead: filter_sizes=\[1, 0.5\] must be a list'),
    ('DMHead', dict(filter_sizes=[]), r'DMHead: filter_sizes=\[\] must be a list of sizes, such'),
    ('EMAHead', dict(ema_channels=0), 'EMAHead: ema_channels=0 must be 1 or more'),
    ('EMAHead', dict(num_bases=0), 'EMAHead: num_bases=0 must be 1 or more'),
    ('EMAHead', dict(num_stages=0), 'EMAHead: num_stages=0 must be 1 or more'),
    ('EMAHead', dict(momentum=1.5), 'EMAHead: momentum=1.5 must be from 0'),
    ('EncHead', dict(in_channels=8, in_index=1), 'must be lists of the same length'),
    ('EncHead', dict(loss_se_decode=dict(type='CrossEntropyLoss')),
     'EncHead: loss_se_decode=.* is a softmax loss .* set use_sigmoid=True'),
    ('EncHead', dict(loss_se_decode=dict(type='CrossEntropyLoss', use_sigmoid=True,
                                         class_weight=[1.0] * 99)),
     'class_weight has 99 numbers for')])
def test_options_that_cannot_be(name, options, words):
    with pytest.raises(ConfigError, match=words):
        make(name, **options)


def test_one_image_has_no_statistics_in_a_context():
    head, x = make('APCHead', pool_scales=(2,)), maps(1)
    with pytest.raises(ArgumentError, match=r'pool scale 2\), global_info: its batch norm'):
        head(x)
    head.acm_modules[0].global_info.bn.eval()
    head(x)
    head = make('APCHead', pool_scales=(1,))
    head.acm_modules[0].global_info.bn.eval()
    with pytest.raises(ArgumentError, match=r'pool scale 1\), pooled_redu_conv: its batch norm'):
        head(x)


@pytest.mark.parametrize(('name', 'block', 'option', 'widths'), [
    ('APCHead', 'bottleneck', 'fuse_pyramid', [8 + 4 * 6, 0]),
    ('DMHead', 'bottleneck', 'fuse_pyramid', [8 + 4 * 6, 0]),
    ('EMAHead', 'conv_cat', 'fuse_concat', [8 + 6, 0])])
def test_nothing_is_concatenated(name, block, option, widths):
    found = []
    for fuse in (False, True):
        head, seen = make(name, **{option: fuse}), []
        convolve = getattr(head, block).forward
        getattr(head, block).forward = lambda x, seen=seen, convolve=convolve: (
            seen.append(x.shape[1]), convolve(x))[1]
        head(maps())
        found.append(sum(seen))
    assert found == widths


# ------------------------------------------------------------------ EncHead


@pytest.mark.parametrize(('norm_cfg', 'kind'), [
    (None, nn.BatchNorm1d), (dict(type='BN'), nn.BatchNorm1d), (dict(type='BN2d'), nn.BatchNorm1d),
    (dict(type='SyncBN'), nn.SyncBatchNorm), (dict(type='IN'), nn.InstanceNorm1d),
    (dict(type='GN', num_groups=2), nn.GroupNorm)])
def test_the_norm_of_encodings(norm_cfg, kind):
    norm = make('EncHead', norm_cfg=norm_cfg).enc_module.encoding[1]
    assert type(norm) is kind


def test_frozen_norms_of_encodings():
    head = make('EncHead', norm_cfg=dict(type='BN', requires_grad=False))
    assert not head.enc_module.encoding[1].weight.requires_grad


def test_which_classes_are_in_the_image():
    label = torch.tensor([[[0, 0, 3], [255, 3, 3]], [[255, -1, 7], [4, 1, 4]]])[:, None]
    head = make('EncHead')
    expected = torch.tensor([[1., 0, 0, 1, 0], [0, 1, 0, 0, 1]])
    assert torch.equal(head._present(label, torch.zeros(1)), expected)
    assert torch.equal(head._present(label.to(torch.uint8), torch.zeros(1)), expected)
    head.ignore_index = 3
    expected[0, 3] = 0
    assert torch.equal(head._present(label, torch.zeros(1)), expected)


@pytest.mark.parametrize('loss_weight', [0.2, 3.0])
def test_the_loss_of_the_classes(loss_weight):
    head, inputs, label = make('EncHead', loss_se_decode=dict(
        type='CrossEntropyLoss', use_sigmoid=True, loss_weight=loss_weight)), maps(), (
        torch.randint(5, (2, 1, 12, 10)))
    logits, classes = copy.deepcopy(head)(inputs)
    assert classes.shape == (2, 5)
    losses = head.forward_train(inputs, [{}, {}], label, None)
    assert set(losses) == {'loss_seg', 'acc_seg', 'loss_se'}
    present = torch.stack([torch.tensor([float((each == k).any()) for k in range(5)])
                           for each in label])
    torch.testing.assert_close(losses['loss_se'], loss_weight * F.binary_cross_entropy(
        classes.sigmoid(), present))
    torch.testing.assert_close(losses['loss_seg'], head.losses(logits, label)['loss_seg'])


def test_without_the_loss_of_the_classes():
    head = make('EncHead', use_se_loss=False)
    assert not hasattr(head, 'se_layer')
    assert set(head.forward_train(maps(), [{}, {}], torch.randint(5, (2, 1, 12, 10)), None)) == {
        'loss_seg', 'acc_seg'}


def test_an_evaluation_gives_logits_alone():
    assert make('EncHead').eval()(maps()).shape == (2, 5, 6, 5)


def test_laterals_of_another_size():
    inputs = maps()
    inputs[0] = torch.randn(2, 4, 12, 10)
    with pytest.raises(ConfigError, match=r'in_index=\(0, 1\) chooses \[\(12, 10\), \(6, 5\)\]'):
        make('EncHead', add_lateral=True)(inputs)
    make('EncHead')(inputs)


# ------------------------------------------------------------------ EMAHead


def expected_bases(module, x, momentum):
    """The bases after a step, from those that each image finds."""
    found = []
    for pixels in x.flatten(2):
        bases = module.bases[0]
        for _ in range(module.num_stages):
            shares = (pixels.T @ bases).softmax(1)
            bases = F.normalize(pixels @ (shares / shares.sum(0)), dim=0)
        found.append(bases)
    mean = F.normalize(sum(found) / len(found), dim=0)
    return (1 - momentum) * module.bases + momentum * mean


@pytest.mark.parametrize('momentum', [0, 0.1, 1])
def test_bases_follow_in_training(momentum):
    module = make('EMAHead', momentum=momentum).ema_module.double()
    torch.testing.assert_close(module.bases.norm(dim=1), torch.ones(1, 3, dtype=torch.float64))
    x = torch.randn(2, 6, 4, 5, dtype=torch.float64)
    expected = expected_bases(module, x, momentum)
    before = module.bases.clone()
    module.eval()(x)
    assert torch.equal(module.bases, before)
    module.train()(x)
    torch.testing.assert_close(module.bases, expected)


def test_bases_follow_the_mean_of_all_processes(monkeypatch):
    module = make('EMAHead', momentum=0.5).ema_module
    other, x = copy.deepcopy(module), torch.randn(2, 6, 4, 5)
    far = F.normalize(torch.randn(1, 6, 3), dim=1)
    own = 2 * (expected_bases(module, x, 0.5) - 0.5 * module.bases)
    # Another process, as if it had found `far`.
    monkeypatch.setattr(dist, 'is_initialized', lambda: True)
    monkeypatch.setattr(dist, 'get_world_size', lambda: 2)
    sent = []
    monkeypatch.setattr(dist, 'all_reduce', lambda total: (sent.append(total.clone()),
                                                           total.add_(far)))
    module(x)
    torch.testing.assert_close(F.normalize(sent[0], dim=1), own)
    expected = F.normalize((sent[0] + far) / 2, dim=1)
    torch.testing.assert_close(module.bases, (other.bases + expected) / 2)


def test_no_gradient_passes_the_bases():
    head = make('EMAHead')
    assert not any(each.requires_grad for each in head.ema_mid_conv.parameters())
    assert not head.ema_module(torch.randn(1, 6, 4, 5, requires_grad=True)).requires_grad
    assert ema_head._mean_over_processes(head.ema_module.bases) is head.ema_module.bases
