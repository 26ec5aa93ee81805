import pytest
import torch

from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import Encoding


def plain(layer, x):
    """In float64, from all differences."""
    codewords, scale = layer.codewords.double(), layer.scale.double()
    difference = x.double().flatten(2).mT.unsqueeze(2) - codewords
    weights = (scale * difference.square().sum(3)).softmax(2)
    return (weights.unsqueeze(3) * difference).sum(1)


def relative_error(found, expected):
    return ((found - expected).abs().max() / expected.abs().max()).item()


def test_parameters():
    torch.manual_seed(0)
    layer = Encoding(channels=64, num_codes=100)
    assert {name: tuple(p.shape) for name, p in layer.state_dict().items()} == {
        'codewords': (100, 64), 'scale': (100,)}
    for sign in (1, -1):  # 1 / sqrt(6400) is 0.0125
        assert 0.0124 < (sign * layer.codewords).max() <= 0.0125
    assert -1 <= layer.scale.min() < -0.9
    assert -0.1 < layer.scale.max() <= 0
    assert repr(layer) == 'Encoding(Nx64xHxW =>Nx100x64)'


@pytest.mark.parametrize('numbers', [(4, 0), (0, 3)])
def test_no_codewords(numbers):
    with pytest.raises(ConfigError, match='channels=.* and num_codes=.* must be 1 or more'):
        Encoding(*numbers)


@pytest.mark.parametrize('shape', [(2, 5, 3, 3), (2, 4, 9), (4, 3, 3)], ids=str)
def test_input_of_another_shape(shape):
    with pytest.raises(ConfigError, match=r'is not \[N, 4, H, W\]') as error:
        Encoding(4, 3)(torch.rand(shape))
    assert isinstance(error.value, AssertionError)


def test_empty_batch():
    x = torch.rand(0, 4, 5, 3, requires_grad=True)
    result = Encoding(4, 3)(x)
    assert result.shape == (0, 3, 4)
    result.sum().backward()
    assert x.grad.shape == x.shape


def test_helpers():
    torch.manual_seed(0)
    x, codewords, scale = torch.rand(2, 7, 5), torch.rand(3, 5), -torch.rand(3)
    difference = x.unsqueeze(2) - codewords
    assert torch.allclose(Encoding.scaled_l2(x, codewords, scale),
                          scale * difference.square().sum(3), atol=1e-6)
    weights = torch.rand(2, 7, 3)
    assert torch.allclose(Encoding.aggregate(weights, x, codewords),
                          (weights.unsqueeze(3) * difference).sum(1), atol=1e-5)


def test_codewords_far_from_the_origin():
    """Where all distances are small beside the features, products alone would lose digits."""
    torch.manual_seed(0)
    layer = Encoding(64, 8)
    with torch.no_grad():
        layer.codewords.add_(100 + torch.rand(64))
    nearest = layer.codewords.detach()[torch.randint(8, (300,))]
    x = (nearest + 0.05 * torch.randn(300, 64)).T.reshape(1, 64, 20, 15).requires_grad_()
    found, expected = layer(x), plain(layer, x)
    assert relative_error(found, expected) < 1e-4
    gradients = [torch.autograd.grad(y.square().sum(), [x, *layer.parameters()])
                 for y in (found, expected)]
    assert all(relative_error(*pair) < 1e-3 for pair in zip(*gradients, strict=True))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16], ids=str)
def test_distances_beyond_low_precision(dtype):
    """Squares sum up to 2e5, which float16 does not hold, and assignment needs their differences.
    """
    torch.manual_seed(0)
    layer = Encoding(512, 8)
    with torch.no_grad():
        layer.scale.mul_(1e-3)
    x = (20 * torch.randn(1, 512, 6, 5)).relu().to(dtype)
    with torch.autocast('cpu', dtype):
        found = layer(x)
    assert found.dtype == torch.float32
    assert relative_error(found, plain(layer, x)) < 1e-5
    expected = plain(layer.to(dtype), x)
    found = layer(x)
    assert found.dtype == dtype
    assert relative_error(found, expected) < torch.finfo(dtype).eps
