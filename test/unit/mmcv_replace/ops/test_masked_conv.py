"""What is particular to masked convolutions."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn import fuse_conv_bn
from mmcv_replace.ops import MaskedConv2d, masked_conv2d

from .cases.masked_conv import plain_conv


def masked(layer, x, mask, **options):
    """The layer's convolution by loops, where the mask is greater than 0."""
    bias = 0 if layer.bias is None else layer.bias.view(-1, 1, 1)
    return (plain_conv(x, layer.weight, **options) + bias) * (mask > 0).unsqueeze(1)


@pytest.mark.parametrize('options', [
    dict(padding=1), dict(stride=2), dict(padding=2, dilation=2), dict(groups=2)])
@pytest.mark.parametrize('bias', [True, False])
def test_the_layer_computes_by_all_its_options(options, bias):
    layer = MaskedConv2d(4, 6, 3, **options, bias=bias).double()
    x = torch.randn(2, 4, 7, 7).double()
    mask = torch.randn(2, *layer(x).shape[2:])
    torch.testing.assert_close(layer(x, mask), masked(layer, x, mask, **options))


def test_without_a_mask_it_is_a_convolution():
    layer, x = MaskedConv2d(2, 3, 3), torch.randn(2, 2, 5, 6)
    expected = nn.functional.conv2d(x, layer.weight, layer.bias)
    for mode in (True, False):
        assert torch.equal(layer.train(mode)(x), expected)
    assert list(layer.state_dict()) == ['weight', 'bias']


@pytest.mark.parametrize('mode', [True, False])
def test_the_mask_counts_in_training_too(mode):
    layer = MaskedConv2d(2, 3, 1).train(mode)
    assert torch.equal(layer(torch.randn(1, 2, 4, 4), torch.zeros(1, 4, 4)),
                       torch.zeros(1, 3, 4, 4))


@pytest.mark.parametrize(('mask', 'on'), [
    (torch.tensor([True, False]), [1, 0]), (torch.tensor([2, -1]), [1, 0]),
    (torch.tensor([float('nan'), 0.1]), [0, 1])])
def test_what_is_greater_than_0_is_on(mask, on):
    result = masked_conv2d(torch.ones(1, 1, 1, 2), mask.view(1, 1, 2), torch.ones(1, 1, 1, 1), None)
    assert result.flatten().tolist() == on


def test_no_number_passes_where_the_mask_is_off():
    x = torch.full((1, 1, 2, 2), float('nan'), requires_grad=True)
    weight = torch.ones(1, 1, 1, 1, requires_grad=True)
    y = masked_conv2d(x, torch.zeros(1, 2, 2), weight, torch.ones(1))
    y.sum().backward()
    assert torch.equal(y, torch.zeros(1, 1, 2, 2))
    assert torch.equal(x.grad, torch.zeros(1, 1, 2, 2))


def test_the_features_stay():
    x = torch.ones(1, 1, 3, 3)
    masked_conv2d(x, torch.zeros(1, 3, 3), torch.ones(1, 1, 1, 1), None)
    assert torch.equal(x, torch.ones(1, 1, 3, 3))


def test_no_samples():
    x, weight = torch.zeros(0, 2, 5, 5), torch.zeros(4, 2, 3, 3, requires_grad=True)
    y = masked_conv2d(x, torch.zeros(0, 3, 3), weight, None)
    assert y.shape == (0, 4, 3, 3)
    y.sum().backward()
    assert torch.equal(weight.grad, torch.zeros(4, 2, 3, 3))


@pytest.mark.parametrize('mask', [(2, 3, 3), (1, 1, 3, 3), (1, 5, 5), (3, 3)])
def test_masks_of_another_shape(mask):
    with pytest.raises(AssertionError, match=r'mask of shape .* it must be \[N, H, W\]'):
        masked_conv2d(torch.zeros(1, 2, 5, 5), torch.zeros(mask), torch.zeros(4, 2, 3, 3), None)


def test_features_without_a_batch():
    with pytest.raises(AssertionError, match='mask of shape'):
        masked_conv2d(torch.zeros(2, 5, 5), torch.zeros(4, 3), torch.zeros(4, 2, 3, 3), None)


def test_autocast():
    layer = MaskedConv2d(2, 3, 3)
    with torch.autocast('cpu', torch.bfloat16):
        y = layer(torch.randn(1, 2, 5, 5), torch.ones(1, 3, 3))
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32


def test_no_norm_is_folded_in():
    """It would be applied before the mask."""
    pair = nn.Sequential(MaskedConv2d(2, 3, 3), nn.BatchNorm2d(3)).eval()
    assert isinstance(fuse_conv_bn(pair)[1], nn.BatchNorm2d)
