"""1 x 1 convolutions as products of matrices, against torch's."""
import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.cnn.utils import host_products, pointwise_conv
from mmcv_replace.cnn.utils.pointwise_conv import PointwiseConv2d, use_products
from mmcv_replace.cnn.utils.recompute import norm_relu_conv


@pytest.fixture
def everywhere(monkeypatch):
    """Small maps take part, on hosts without these products too."""
    monkeypatch.setattr(pointwise_conv, '_LEAST_PIXELS', 1)
    monkeypatch.setattr(pointwise_conv, 'by_onednn', lambda x, y: True)


@pytest.fixture
def counted(monkeypatch):
    """Products of matrices that were made."""
    calls = []
    inner = pointwise_conv.products
    monkeypatch.setattr(pointwise_conv, 'products',
                        lambda *args: calls.append(args) or inner(*args))
    return calls


@pytest.mark.parametrize(('layer', 'taken'), [
    (nn.Conv2d(8, 6, 1), True),
    (nn.Conv2d(8, 6, 1, bias=False), True),
    (nn.Conv2d(8, 6, 1, dilation=2), True),
    (nn.Conv2d(8, 6, 3), False),
    (nn.Conv2d(8, 6, (1, 3)), False),
    (nn.Conv2d(8, 6, 1, stride=2), False),
    (nn.Conv2d(8, 6, 1, padding=1), False),
    (nn.Conv2d(8, 6, 1, padding='same'), False),
    (nn.Conv2d(8, 6, 1, groups=2), False),
    (nn.ConvTranspose2d(8, 6, 1), False)], ids=str)
def test_layers_that_may_profit(layer, taken):
    model = nn.Sequential(layer)
    keys = list(model.state_dict())
    assert use_products(model) is model
    assert model[0] is layer
    assert isinstance(layer, PointwiseConv2d) == taken
    assert list(model.state_dict()) == keys


@pytest.mark.usefixtures('everywhere')
@pytest.mark.parametrize('onednn', [True, False])
@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('number', [1, 3])
def test_equal_to_torch(number, bias, onednn, monkeypatch, counted):
    if onednn:
        if not host_products.has_products():
            pytest.skip('a host without these products')
        monkeypatch.setattr(host_products, '_LEAST_WORK', 1)
    conv = nn.Conv2d(8, 6, 1, bias=bias)
    x = torch.randn(number, 8, 5, 7, requires_grad=True)
    found, expected = use_products(copy.deepcopy(conv))(x), conv(x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    leaves, grad = [x, *conv.parameters()], torch.randn_like(expected)
    ours = use_products(conv)
    gradients = torch.autograd.grad(ours(x), leaves, grad)
    inputs = (x, *(each for each in (conv.weight, conv.bias) if each is not None))
    theirs = torch.autograd.grad(F.conv2d(*inputs), leaves, grad)
    torch.testing.assert_close(gradients, theirs, rtol=1e-4, atol=1e-5)
    assert len(counted) == 2 + 1 + number  # two passes forward, and the two gradients


@pytest.mark.usefixtures('everywhere')
def test_gradients_that_nobody_wants(counted):
    conv = use_products(nn.Conv2d(8, 6, 1)).requires_grad_(False)
    x = torch.randn(2, 8, 5, 7, requires_grad=True)
    conv(x).sum().backward()
    assert len(counted) == 2
    assert conv.weight.grad is None
    conv.requires_grad_()
    conv(x.detach()).sum().backward()
    assert len(counted) == 2 + 3


@pytest.mark.usefixtures('everywhere')
@pytest.mark.parametrize('bias', [True, False])
def test_maps_in_channels_last_without_gradients(bias, monkeypatch):
    calls, inner = [], pointwise_conv.affine
    monkeypatch.setattr(pointwise_conv, 'affine', lambda *args: calls.append(args) or inner(*args))
    conv = nn.Conv2d(8, 6, 1, bias=bias)
    x = torch.randn(2, 8, 5, 7).to(memory_format=torch.channels_last)
    expected, ours = conv(x), use_products(copy.deepcopy(conv))
    with torch.no_grad():
        found = ours(x)
        part = ours._conv_forward(x[:, 2:], ours.weight[:, 2:], None)  # with gaps: torch's own
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(part, F.conv2d(x[:, 2:], conv.weight[:, 2:]), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.requires_grad_(False)(x), expected, rtol=1e-4, atol=1e-5)
    assert len(calls) == 2
    for wanted in (ours(x.clone().requires_grad_()), ours.requires_grad_()(x)):
        assert wanted.requires_grad
    assert len(calls) == 2


@pytest.mark.usefixtures('everywhere')
def test_torchs_own_for_what_would_not_profit(counted, monkeypatch):
    conv, x = use_products(nn.Conv2d(8, 6, 1)), torch.randn(2, 8, 5, 7)
    conv(x.to(memory_format=torch.channels_last))  # of its weight a gradient is wanted
    conv(x[0])
    with torch.autocast('cpu', torch.bfloat16):
        conv(x)
    copy.deepcopy(conv).double()(x.double())
    kinds = {node.kind() for node in torch.jit.trace(
        conv, x, check_trace=False).inlined_graph.nodes()}
    assert 'aten::_convolution' in kinds
    monkeypatch.setattr(pointwise_conv, '_LEAST_PIXELS', 36)
    conv(x)
    monkeypatch.setattr(pointwise_conv, '_LEAST_PIXELS', 1)
    monkeypatch.setattr(pointwise_conv, 'is_asynchronous', lambda device: True)
    conv(x)
    assert not counted


@pytest.mark.usefixtures('everywhere')
@pytest.mark.parametrize('memory', [torch.contiguous_format, torch.channels_last])
def test_no_images(memory, monkeypatch, counted):
    monkeypatch.setattr(pointwise_conv, 'by_onednn', lambda x, y: True)
    conv = use_products(nn.Conv2d(8, 6, 1))
    x = torch.zeros(0, 8, 5, 7).to(memory_format=memory).requires_grad_()
    out = conv(x)
    assert out.shape == (0, 6, 5, 7)
    out.sum().backward()
    assert not conv.weight.grad.any()
    with torch.no_grad():
        assert conv(x).shape == out.shape
    assert not counted


@pytest.mark.usefixtures('everywhere')
def test_behind_a_recomputed_norm(counted):
    plain = nn.ModuleList([nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 6, 1)])
    ours, start, results = use_products(copy.deepcopy(plain)), torch.randn(2, 8, 3, 4), []
    for each in (ours, plain):
        x = start.clone().requires_grad_()
        out = norm_relu_conv(*each, x * 1, recompute=True)
        out.square().sum().backward()
        results.append([out.detach(), x.grad, *(p.grad for p in each.parameters())])
    assert len(counted) == 1 + 1 + 2
    torch.testing.assert_close(results[0], results[1], rtol=1e-4, atol=1e-4)
