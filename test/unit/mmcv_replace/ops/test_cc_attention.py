import math

import pytest
import torch

from mmcv_replace.cnn import build_plugin_layer
from mmcv_replace.ops import CrissCrossAttention
from mmcv_replace.ops.cc_attention import NEG_INF_DIAG, criss_cross
from mmcv_replace.utils.errors import ConfigError

from .op_cases import uniform


def test_parameters():
    layer = CrissCrossAttention(16)
    assert {name: tuple(p.shape) for name, p in layer.state_dict().items()} == {
        'query_conv.weight': (2, 16, 1, 1), 'query_conv.bias': (2,),
        'key_conv.weight': (2, 16, 1, 1), 'key_conv.bias': (2,),
        'value_conv.weight': (16, 16, 1, 1), 'value_conv.bias': (16,), 'gamma.scale': ()}
    assert repr(layer) == 'CrissCrossAttention(in_channels=16)'
    assert layer.in_channels == 16


def test_starts_as_the_identity():
    x = torch.rand(2, 16, 5, 4)
    layer = CrissCrossAttention(16)
    assert torch.equal(layer(x), x)
    layer.gamma.scale.data.fill_(0.5)
    assert not torch.allclose(layer(x), x)


def test_is_a_plugin_layer():
    name, layer = build_plugin_layer(dict(type='CrissCrossAttention'), in_channels=16)
    assert name == 'criss_cross_attention'
    assert isinstance(layer, CrissCrossAttention)


def test_too_few_channels():
    with pytest.raises(ConfigError, match='in_channels=7 is below 8'):
        CrissCrossAttention(7)


@pytest.mark.parametrize('shape', [(8, 3, 4), (1, 9, 3, 4)])
def test_an_input_of_another_shape(shape):
    with pytest.raises(ConfigError, match=r'CrissCrossAttention: .* is not \[N, 8, H, W\]'):
        CrissCrossAttention(8)(torch.zeros(shape))


def test_empty_batch():
    layer = CrissCrossAttention(16)
    x = torch.rand(0, 16, 5, 4, requires_grad=True)
    result = layer(x)
    assert result.shape == x.shape
    result.sum().backward()
    assert x.grad.shape == x.shape


def test_keeps_the_memory_format():
    layer = CrissCrossAttention(16)
    x = torch.rand(2, 16, 5, 4)
    assert layer(x).is_contiguous()
    assert layer(x.contiguous(memory_format=torch.channels_last)).is_contiguous(
        memory_format=torch.channels_last)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16], ids=str)
def test_autocast(dtype):
    torch.manual_seed(0)
    layer = CrissCrossAttention(16)
    layer.gamma.scale.data.fill_(1)
    x = torch.rand(2, 16, 6, 5, requires_grad=True)
    expected = layer(x)
    wanted = [x, *(p for name, p in layer.named_parameters() if name != 'key_conv.bias')]
    gradients = torch.autograd.grad(expected.square().mean(), wanted)
    with torch.autocast('cpu', dtype):
        found = layer(x)
    assert found.dtype == torch.float32
    step = torch.finfo(dtype).eps
    assert (found - expected).abs().max() < 4 * step
    for own, other in zip(torch.autograd.grad(found.square().mean(), wanted), gradients,
                          strict=True):
        assert own.dtype == torch.float32
        assert (own - other).abs().max() < 8 * step * other.abs().max()
    with torch.autocast('cpu', dtype):
        assert layer(x.to(dtype)).dtype == dtype


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16], ids=str)
def test_weights_of_many_similar_pixels(dtype):
    """In float16, a sum of 600 equal exponentials over columns and rows loses what is added."""
    for size in ((4, 600), (600, 4)):
        query = key = torch.zeros(1, 2, *size, dtype=dtype)
        found = criss_cross(query, key, torch.ones(1, 1, *size, dtype=dtype), torch.ones(()))
        assert found.dtype == dtype
        assert (found.double() - 1).abs().max() < 2 * torch.finfo(dtype).eps


def test_pixel_counts_once():
    """With equal scores, each of the H + W - 1 pixels has the same share."""
    value = uniform(1, 3, 4, 6)
    found = criss_cross(value * 0, value, value, torch.tensor(2., dtype=torch.float64))
    expected = 2 * (value.sum(2, keepdim=True) + value.sum(3, keepdim=True) - value) / 9
    assert torch.allclose(found, expected, rtol=1e-12)


def test_negative_infinity_on_the_diagonal():
    found = NEG_INF_DIAG(3, torch.device('cpu'))
    assert found.tolist() == [[-math.inf if i == j else 0 for j in range(3)] for i in range(3)]
