"""Winograd's algorithm against torch's convolution."""
import pytest
import torch
import torch.nn.functional as F

from mmcv_replace.cnn.utils import winograd
from mmcv_replace.cnn.utils.winograd import share_of_products, winograd_conv2d

from .winograd_inputs import error, inputs

# images, channels in and out, height and width, dilation: tiles that are cut off, other steps in
# rows and columns, groups of channels (of 512), several places (of 512 tiles) in one image and one
# of several images, maps smaller than a tile and than the dilation, and as wide as one tile.
CASES = [
    (2, 5, 7, 13, 9, (1, 1)), (1, 3, 2, 64, 65, (4, 4)), (1, 3, 4, 70, 131, (2, 1)),
    (1, 600, 3, 12, 8, (1, 1)), (3, 2, 2, 129, 80, (1, 3)), (1, 2, 2, 3, 2, (1, 1)),
    (1, 2, 3, 5, 4, (6, 2)), (1, 3, 2, 21, 4, (1, 1)), (2, 3, 2, 21, 7, (1, 2))]


@pytest.mark.parametrize('case', CASES, ids=str)
def test_values_and_gradients_of_torch(case):
    leaves, step = inputs(case), case[-1]
    found = winograd_conv2d(*leaves, step)
    expected = F.conv2d(*leaves, padding=step, dilation=step)
    assert found.shape == expected.shape
    assert error(found, expected) < 1e-13
    outer = torch.randn_like(expected)
    for own, plain in zip(torch.autograd.grad(found, leaves, outer),
                          torch.autograd.grad(expected, leaves, outer), strict=True):
        assert error(own, plain) < 1e-13


@pytest.mark.parametrize('limits', [
    dict(_TILES=4), dict(_TILES=60, _PLACES_AT_ONCE=1), dict(_CHANNELS=4),
    dict(_CHANNELS=2, _TILES=8), dict(_RESULTS=3)
], ids=str)
def test_what_is_computed_at_a_time_changes_nothing(limits, monkeypatch):
    for name, value in limits.items():
        monkeypatch.setattr(winograd, name, value)
    test_values_and_gradients_of_torch(CASES[0])
    test_values_and_gradients_of_torch(CASES[2])


def test_gradients_by_finite_differences():
    leaves = inputs((1, 2, 2, 6, 5, (1, 2)))
    assert torch.autograd.gradcheck(lambda *a: winograd_conv2d(*a, (1, 2)), leaves)


@pytest.mark.parametrize('case', [(1, 256, 64, 64, 64, (1, 1)), (1, 128, 128, 48, 64, (4, 4))],
                         ids=str)
def test_rounding_in_float32(case):
    leaves, step = inputs(case, torch.float32), case[-1]
    exact = [leaf.detach().double().requires_grad_() for leaf in leaves]
    found = winograd_conv2d(*leaves, step)
    expected = F.conv2d(*exact, padding=step, dilation=step)
    assert error(found, expected) < 3e-6
    outer = torch.randn_like(expected)
    for own, plain in zip(torch.autograd.grad(found, leaves, outer.float()),
                          torch.autograd.grad(expected, exact, outer), strict=True):
        assert error(own, plain) < 3e-6


def test_maps_that_do_not_lie_in_order():
    x, weight, bias = inputs((2, 5, 7, 13, 9, (1, 1)))
    last = x.detach().to(memory_format=torch.channels_last)
    weight = weight.detach().to(memory_format=torch.channels_last)
    found = winograd_conv2d(last, weight, bias)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert error(found, F.conv2d(x, weight, bias, padding=1)) < 1e-13
    assert winograd_conv2d(x, weight, bias).is_contiguous()
    outer = torch.randn(7, 1, 1, dtype=torch.float64).expand(2, 7, 13, 9)
    grad = torch.autograd.grad(winograd_conv2d(x, weight, bias), x, outer)[0]
    assert error(grad, torch.autograd.grad(F.conv2d(x, weight, padding=1), x, outer)[0]) < 1e-13


@pytest.mark.parametrize('frozen', [0, 1, 2])
def test_frozen_tensors_get_no_gradient(frozen, monkeypatch):
    """Nor is anything computed for them."""
    leaves = inputs((1, 3, 4, 8, 8, (1, 1)))
    leaves[frozen].requires_grad_(False)
    if frozen == 1:
        monkeypatch.setattr(winograd, '_weight_gradient', lambda *args: pytest.fail('computed'))
    winograd_conv2d(*leaves).sum().backward()
    assert [leaf.grad is None for leaf in leaves] == [i == frozen for i in range(3)]


def test_what_inference_caches_serves_training():
    winograd._spread_matrix.cache_clear()
    winograd._kernel_matrix.cache_clear()
    winograd._merge_matrix.cache_clear()
    leaves = inputs((1, 3, 4, 8, 8, (1, 1)))
    with torch.inference_mode():
        winograd_conv2d(*leaves)
    winograd_conv2d(*leaves).sum().backward()
    assert leaves[0].grad is not None


@pytest.mark.parametrize(('size', 'dilation', 'share'), [
    ((64, 64), (1, 1), 1 / 4),  # 36 products instead of 144
    ((64, 64), (4, 4), 1 / 4),
    ((4, 5), (1, 1), 6 * 12 / (12 * 15)),  # two tiles for five columns
    ((1, 4), (1, 1), 6 * 6 / (3 * 12)),
    ((9, 4), (2, 1), 6 * 4 * 6 / (27 * 12))])  # rows 0 and 1, then 8 and what would be 9
def test_share_of_the_products(size, dilation, share):
    assert share_of_products(size, dilation) == pytest.approx(share)
