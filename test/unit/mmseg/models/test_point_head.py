"""The points that PointHead chooses, what it learns from them, and what it refuses."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.models import build_head, build_segmentor
from mmseg.models.utils.points import calculate_uncertainty

from . import head_options as table
from .head_plain import HEAD, WIDTHS

ONE_MAP = dict(HEAD, type='PointHead', in_channels=WIDTHS[-1:], in_index=(2,), norm_cfg=None)
FEW = dict(subdivision_steps=1, subdivision_num_points=5, scale_factor=3)


def build(**changes):
    torch.manual_seed(0)
    return build_head(ONE_MAP | changes).double()


def logits(classes=3, size=(7, 11)):
    torch.manual_seed(1)
    return torch.randn(2, classes, *size, dtype=torch.float64)


# ------------------------------------------------------------------ uncertainty


@pytest.mark.parametrize('shape', [(2, 2, 5), (2, 3, 4, 6), (1, 7, 5, 3)])
def test_uncertainty_is_the_distance_of_the_two_best_classes(shape):
    x = torch.randn(shape)
    best, second = x.sort(dim=1, descending=True)[0][:, :2].split(1, dim=1)
    found = calculate_uncertainty(x.clone().requires_grad_())
    assert torch.equal(found, second - best)
    program = torch.export.export(Uncertainty(), (x,))
    assert torch.equal(program.module()(x), found)
    assert sum('topk' in str(node.target) for node in program.graph.nodes) == 1


class Uncertainty(nn.Module):
    def forward(self, x):
        return calculate_uncertainty(x)


def test_uncertainty_of_a_single_logit():
    x = torch.tensor([-3., 0.5, 2]).view(1, 1, 3)
    assert calculate_uncertainty(x).flatten().tolist() == [-3, -0.5, -2]


# ------------------------------------------------------------------ points to learn from


@pytest.mark.parametrize('cfg', [
    dict(num_points=8, oversample_ratio=3, importance_sample_ratio=0.75),
    dict(num_points=5, oversample_ratio=2.5, importance_sample_ratio=0.3),
    dict(num_points=4, oversample_ratio=1, importance_sample_ratio=1),
    dict(num_points=4, oversample_ratio=2, importance_sample_ratio=0)], ids=str)
def test_points_to_learn_from(cfg):
    head, x = build(), logits()
    torch.manual_seed(5)
    found = head.get_points_train(x, calculate_uncertainty, cfg)
    torch.manual_seed(5)
    count = cfg['num_points']
    random = torch.rand(2, int(count * cfg['oversample_ratio']), 2)
    important = int(count * cfg['importance_sample_ratio'])
    others = torch.rand(2, count - important, 2)
    at = F.grid_sample(x, random.double().unsqueeze(2) * 2 - 1, align_corners=False).squeeze(3)
    best, second = at.sort(dim=1, descending=True)[0][:, :2].unbind(1)
    for n in range(2):
        order = (best - second)[n].argsort()[:important]
        assert torch.equal(found[n], torch.cat([random[n, order], others[n]]))


def test_numbers_of_points_by_default():
    head = build()
    assert head.get_points_train(logits(), calculate_uncertainty, None).shape == (2, 2048, 2)
    index, points = head.get_points_test(logits(size=(80, 120)), calculate_uncertainty, {})
    assert index.shape == points.shape[:2] == (2, 8196)
    assert head.forward(table.maps(), logits()).shape == (2, 3, 28, 44)


# ------------------------------------------------------------------ losses


def test_losses_are_those_of_points():
    head, label = build(align_corners=True), table.labels(build())
    inputs, previous, cfg = table.maps(), logits(), dict(num_points=50)
    torch.manual_seed(3)
    losses = head.forward_train(inputs, previous, [{}, {}], label, cfg)
    torch.manual_seed(3)
    points = head.get_points_train(previous, calculate_uncertainty, cfg)
    own = head.classify(inputs[2:], previous, points)
    places = (points.double() * torch.tensor([40, 28])).round().long()
    right = torch.stack([each[0][place[:, 1], place[:, 0]]
                         for each, place in zip(label, places, strict=True)])
    terms = F.cross_entropy(own, right, ignore_index=255, reduction='none')
    assert [*losses] == ['loss_point', 'acc_point']
    torch.testing.assert_close(losses['loss_point'], terms.mean())
    torch.testing.assert_close(losses['acc_point'],
                               100 * (own.argmax(1) == right).float().mean().view(1))


def test_several_losses_and_their_names():
    loss = dict(type='CrossEntropyLoss')
    head = build(loss_decode=[dict(loss, loss_name='loss_a'), dict(loss, loss_name='loss_b'),
                              dict(loss, loss_name='loss_b', loss_weight=2.0)])
    x, label = logits(size=(9,)), torch.randint(3, (2, 9))
    losses = head.losses(x, label)
    assert [*losses] == ['pointloss_a', 'pointloss_b', 'acc_point']
    torch.testing.assert_close(losses['pointloss_b'], 3 * losses['pointloss_a'])
    half = head.losses(x.bfloat16(), label)
    assert half['pointloss_a'].dtype == torch.float32


def test_ignored_labels_have_no_loss():
    x, label = logits(size=(9,)), torch.full((2, 9), 7)
    assert build(ignore_index=7).losses(x, label)['loss_point'] == 0


def test_single_values_of_points_are_dropped():
    head = build(dropout_ratio=0.5)
    assert type(head.dropout) is nn.Dropout
    assert head.dropout.p == 0.5
    assert build(dropout_ratio=-1).dropout is None
    head.dropout.p = 1.0
    assert torch.equal(head.cls_seg(torch.randn(2, 11, 4).double()),
                       head.fc_seg.bias.view(1, -1, 1).expand(2, -1, 4))


def test_the_classifier_of_points_replaces_that_of_maps():
    head = build(in_channels=(300,), channels=300)
    head.init_weights()
    assert not hasattr(head, 'conv_seg')
    assert 0.009 < head.fc_seg.weight.std() < 0.011
    assert build(init_cfg=dict(type='Constant', val=2, layer='Conv1d')).init_cfg['val'] == 2


# ------------------------------------------------------------------ refinement


@torch.no_grad()
@pytest.mark.parametrize('align_corners', [False, True])
def test_only_uncertain_pixels_are_classified_again(align_corners):
    head, previous = build(align_corners=align_corners).eval(), logits()
    found = head.forward_test(table.maps(), previous, None, FEW)
    large = F.interpolate(previous, scale_factor=3, mode='bilinear', align_corners=align_corners)
    assert found.shape == large.shape == (2, 3, 21, 33)
    best, second = large.sort(dim=1, descending=True)[0][:, :2].unbind(1)
    for n in range(2):
        pixels = (best - second)[n].flatten().argsort()[:5]
        points = torch.stack([(pixels % 33 + 0.5) / 33, (pixels // 33 + 0.5) / 21], 1)
        own = head.classify([table.maps()[2][n:n + 1]], previous[n:n + 1], points[None])
        expected = large[n].flatten(1).clone()
        expected[:, pixels] = own[0]
        torch.testing.assert_close(found[n].flatten(1), expected, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_steps():
    head, previous = build().eval(), logits()
    once = head.forward_test(table.maps(), previous, None, FEW)
    assert torch.equal(head.forward_test(table.maps(), previous, None,
                                         FEW | dict(subdivision_steps=0)), previous)
    twice = head.forward_test(table.maps(), previous, None, FEW | dict(subdivision_steps=2))
    large = F.interpolate(once, scale_factor=3, mode='bilinear')
    assert ((twice - large).abs().amax(1).flatten(1) > 1e-9).sum(1).tolist() == [5, 5]
    assert not torch.equal(once, F.interpolate(previous, scale_factor=3, mode='bilinear'))


def test_in_a_cascade():
    backbone = dict(type='ResNet', depth=18, norm_cfg=dict(type='BN'), base_channels=8)
    first = dict(type='FCNHead', in_channels=64, channels=4, num_classes=3)
    point = dict(type='PointHead', in_channels=[8, 64], in_index=[0, 3], channels=4,
                 num_classes=3)
    model = build_segmentor(dict(type='CascadeEncoderDecoder', num_stages=2, backbone=backbone,
                                 decode_head=[first, point]),
                            train_cfg=dict(num_points=20), test_cfg=dict(FEW, mode='whole'))
    image, label = torch.randn(2, 3, 64, 64), torch.randint(3, (2, 1, 64, 64))
    losses = model.forward_train(image, [{}, {}], label)
    assert {'decode_0.loss_seg', 'decode_1.loss_point', 'decode_1.acc_point'} <= losses.keys()
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert all(value.grad is not None for value in model.parameters())
    seen = []
    model.decode_head[1].fc_seg.register_forward_hook(lambda *args: seen.append(args[2].shape))
    assert model.eval().encode_decode(image, None).shape == (2, 3, 64, 64)
    assert seen == [(2, 3, 5)]


class Refine(nn.Module):
    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, x, previous):
        return self.head.forward_test([x, x, x], previous, None, FEW)


@torch.no_grad()
def test_exported_to_onnx(tmp_path):
    pytest.importorskip('onnxscript')
    session = pytest.importorskip('onnxruntime').InferenceSession
    head, inputs = Refine(build().float()).eval(), (table.maps(dtype=torch.float32)[2],
                                                    logits().float())
    path = tmp_path / 'head.onnx'
    torch.onnx.export(head, inputs, path, dynamo=True, verbose=False, external_data=False)
    session = session(path, providers=['CPUExecutionProvider'])
    found, = session.run(None, {taken.name: x.numpy() for taken, x in zip(
        session.get_inputs(), inputs, strict=True)})
    torch.testing.assert_close(torch.from_numpy(found), head(*inputs), rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(('changes', 'message'), [
    (dict(input_transform='resize_concat'),
     "input_transform='resize_concat' must be 'multiple_select' or left out"),
    (dict(num_fcs=0), 'num_fcs=0 must be 1 or more'),
    (dict(sampler=dict(type='OHEMPixelSampler')),
     'sampler=.*OHEMPixelSampler.* remove it; train_cfg.importance_sample_ratio')])
def test_impossible_options(changes, message):
    with pytest.raises(ConfigError, match=f'PointHead: {message}'):
        build(**changes)


@pytest.mark.parametrize(('cfg', 'message'), [
    (dict(num_points=0), 'num_points=0 must be a whole number from 1 on'),
    (dict(num_points=2.5), 'num_points=2.5 must be a whole number'),
    (dict(num_points=True), 'num_points=True must be a whole number'),
    (dict(oversample_ratio=0.5), 'oversample_ratio=0.5 must be a number from 1 on'),
    (dict(importance_sample_ratio=1.5), 'importance_sample_ratio=1.5 must be a number from 0 to 1'),
    (dict(importance_sample_ratio='all'), r"importance_sample_ratio='all' must be a number")])
def test_impossible_numbers_in_training(cfg, message):
    head = build()
    with pytest.raises(ConfigError, match=rf'PointHead: train_cfg\.{message}'):
        head.forward_train(table.maps(), logits(), [{}, {}], table.labels(head), cfg)


@pytest.mark.parametrize(('cfg', 'message'), [
    (dict(subdivision_steps=-1), 'subdivision_steps=-1 must be a whole number from 0 on'),
    (dict(subdivision_num_points=0), 'subdivision_num_points=0 must be a whole number from 1 on'),
    (dict(scale_factor=0.5), 'scale_factor=0.5 must be a number from 1 on')])
def test_impossible_numbers_in_testing(cfg, message):
    with pytest.raises(ConfigError, match=rf'PointHead: test_cfg\.{message}'):
        build().forward_test(table.maps(), logits(), None, cfg)


def test_both_heads_need_the_same_logits():
    head = build()
    maps = [torch.randn(2, channels, 14, 22, dtype=torch.float64) for channels in head.in_channels]
    words = rf'gives {head.out_channels + 1} logits a pixel, but this one has num_classes='
    with pytest.raises(ConfigError, match=words):
        head.classify(maps, logits(head.out_channels + 1), torch.rand(2, 5, 2).double())
