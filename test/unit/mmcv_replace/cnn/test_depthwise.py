"""Depthwise convolutions on split maps, and PReLU: the results and gradients of torch's own."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace.cnn.utils import depthwise, prelu
from mmcv_replace.cnn.utils.depthwise import SplitDepthwiseConv2d, split_depthwise
from mmcv_replace.cnn.utils.prelu import HostPReLU, host_prelu
from mmcv_replace.cnn.utils.recompute import norm_relu_conv


def make(kernel=3, dilation=2, **options):
    torch.manual_seed(0)
    options = dict(padding=kernel // 2 * dilation, groups=6) | options
    return nn.Conv2d(6, 6, kernel, dilation=dilation, **options).double()


def run(layer, x):
    x = x.clone().requires_grad_()
    out = layer(x)
    out.square().sum().backward()
    return [out.detach(), x.grad, *(param.grad for param in layer.parameters())]


@pytest.fixture
def splits(monkeypatch):
    """Number of channels of each map that was split."""
    seen, split = [], depthwise._split
    monkeypatch.setattr(depthwise, '_split', lambda x, step: seen.append(x.size(1)) or split(
        x, step))
    return seen


@pytest.mark.parametrize('options', [
    {}, dict(kernel=5), dict(kernel=7, dilation=3), dict(dilation=4, bias=False)], ids=str)
@pytest.mark.parametrize('size', [(8, 12), (9, 7), (2, 3), (1, 1)])
@pytest.mark.parametrize('memory', [torch.contiguous_format, torch.channels_last])
def test_same_results_and_gradients(options, size, memory, splits):
    plain = make(**options)
    ours = split_depthwise(copy.deepcopy(plain))
    assert type(ours) is SplitDepthwiseConv2d
    x = torch.randn(2, 6, *size, dtype=torch.float64).to(memory_format=memory)
    torch.testing.assert_close(run(ours, x), run(plain, x))
    at_once = options.get('kernel', 3) == 3 and x.is_contiguous()
    assert len(splits) == (2 if at_once else 3)


def test_gradients_by_finite_differences():
    x = torch.randn(1, 6, 5, 4, dtype=torch.float64, requires_grad=True)
    for kernel in (3, 5):
        torch.autograd.gradcheck(split_depthwise(make(kernel)), x)


def test_behind_a_norm_that_is_computed_again(splits):
    found = []
    for recompute in (False, True):
        conv = split_depthwise(make())
        norm, x = nn.BatchNorm2d(6).double(), torch.randn(2, 6, 7, 5, dtype=torch.float64)
        torch.manual_seed(1)
        x = torch.randn(2, 6, 7, 5, dtype=torch.float64).requires_grad_()
        norm_relu_conv(norm, nn.ReLU(), conv, x, recompute).square().sum().backward()
        found.append([x.grad, conv.weight.grad, norm.weight.grad])
    torch.testing.assert_close(*found)
    assert len(splits) == 4


@pytest.mark.parametrize('conv', [
    make(dilation=1), make(groups=2), make(stride=2), make(padding=1),
    make(padding_mode='circular'), make(padding='same'), nn.Conv2d(6, 12, 3, groups=6, padding=2,
                                                                   dilation=2)],
    ids=['no dilation', 'groups', 'stride', 'padding', 'circular', 'named', 'more maps'])
def test_others_stay_as_they_are(conv):
    assert type(split_depthwise(copy.deepcopy(conv))) is nn.Conv2d


def test_torchs_own_in_graphs_and_on_accelerators(splits, monkeypatch):
    conv, x = split_depthwise(make(5)), torch.randn(1, 6, 8, 8, dtype=torch.float64)
    torch.jit.trace(conv, x, check_trace=False)
    torch.export.export(conv, (x,))
    monkeypatch.setattr(depthwise, 'is_asynchronous', lambda device: True)
    run(conv, x)
    assert not splits


@pytest.mark.parametrize('memory', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('slopes', [1, 6])
def test_prelu(slopes, memory):
    plain = nn.PReLU(slopes).double()
    nn.init.normal_(plain.weight)
    ours = host_prelu(copy.deepcopy(plain))
    assert type(ours) is HostPReLU
    x = torch.randn(2, 6, 5, 4, dtype=torch.float64).to(memory_format=memory)
    x[0, :, 0] = 0
    torch.testing.assert_close(run(ours, x), run(plain, x))
    x = torch.randn(2, 6, dtype=torch.float64)
    torch.testing.assert_close(run(ours, x), run(plain, x))


def test_prelu_elsewhere_is_torchs_own(monkeypatch):
    layer, x = host_prelu(nn.PReLU(6)), torch.randn(2, 6, 4, requires_grad=True)
    assert '_PReLU' in type(layer(x).grad_fn).__name__
    with torch.autocast('cpu', torch.bfloat16):
        assert layer(x.bfloat16()).dtype == torch.bfloat16
    monkeypatch.setattr(prelu, 'is_asynchronous', lambda device: True)
    assert '_PReLU' not in type(layer(x).grad_fn).__name__
