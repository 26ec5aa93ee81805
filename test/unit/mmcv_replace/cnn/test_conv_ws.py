"""Convolutions with standardised weights against statistics computed filter by filter."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.cnn import ConvAWS2d, ConvWS2d, build_conv_layer, conv_ws_2d

OPTIONS = [{}, dict(stride=2, padding=1, dilation=2, groups=2, bias=False), dict(padding=(0, 1))]


def by_hand(weight, shift):
    """Each filter minus its mean, divided by its deviation, with `shift` against zeros."""
    filters = []
    for values in weight:
        mean = values.sum() / values.numel()
        variance = ((values - mean)**2).sum() / (values.numel() - 1)
        filters.append((values - mean) / shift(variance))
    return torch.stack(filters)


@pytest.mark.parametrize('options', OPTIONS)
def test_standardised_weights(options):
    layer = ConvWS2d(4, 6, 3, **options).double()
    x = torch.randn(2, 4, 7, 8, dtype=torch.float64)
    weight = by_hand(layer.weight, lambda variance: variance**0.5 + 1e-5)
    rest = (layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups)
    torch.testing.assert_close(layer(x), F.conv2d(x, weight, *rest))
    torch.testing.assert_close(conv_ws_2d(x, layer.weight, *rest), layer(x))
    assert torch.autograd.gradcheck(lambda w: conv_ws_2d(x, w, *rest), layer.weight)


def test_eps_is_added_to_the_deviation():
    layer = ConvWS2d(4, 6, 3, eps=0.5).double()
    x = torch.randn(1, 4, 5, 5, dtype=torch.float64)
    weight = by_hand(layer.weight, lambda variance: variance**0.5 + 0.5)
    torch.testing.assert_close(layer(x), F.conv2d(x, weight, layer.bias))
    torch.testing.assert_close(conv_ws_2d(x, layer.weight, eps=0.5), F.conv2d(x, weight))


@pytest.mark.parametrize('options', OPTIONS)
def test_adjusted_weights(options):
    layer = ConvAWS2d(4, 6, 3, **options).double()
    layer.weight_gamma.uniform_(0.5, 2)
    layer.weight_beta.uniform_(-1, 1)
    x = torch.randn(2, 4, 7, 8, dtype=torch.float64)
    weight = by_hand(layer.weight, lambda variance: (variance + 1e-5)**0.5)
    weight = layer.weight_gamma * weight + layer.weight_beta
    torch.testing.assert_close(layer(x), F.conv2d(
        x, weight, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups))


def test_adjusted_weights_take_over_those_of_a_plain_convolution():
    plain, layer = nn.Conv2d(4, 6, 3), ConvAWS2d(4, 6, 3)
    assert list(layer.state_dict()) == ['weight', 'bias', 'weight_gamma', 'weight_beta']
    layer.load_state_dict(plain.state_dict())
    x = torch.randn(2, 4, 7, 8)
    torch.testing.assert_close(layer(x), plain(x), rtol=1e-4, atol=1e-5)
    again = ConvAWS2d(4, 6, 3)
    again.load_state_dict(layer.state_dict())
    assert torch.equal(again.weight_gamma, layer.weight_gamma)


def test_what_else_is_missing_in_the_state_is_told():
    layer = nn.Sequential(ConvAWS2d(4, 6, 3))
    found = layer.load_state_dict({'0.weight': torch.randn(6, 4, 3, 3)}, strict=False)
    assert found.missing_keys == ['0.bias']


def test_configs_name_them():
    assert isinstance(build_conv_layer(dict(type='ConvWS'), 2, 3, 1), ConvWS2d)
    assert isinstance(build_conv_layer(dict(type='ConvAWS'), 2, 3, 1), ConvAWS2d)
