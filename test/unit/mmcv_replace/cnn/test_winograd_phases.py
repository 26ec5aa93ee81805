"""Convolutions of large dilation, phase by phase, against torch's."""
import pytest
import torch
import torch.nn.functional as F

from mmcv_replace.cnn import use_winograd
from mmcv_replace.cnn.utils import winograd_conv, winograd_phases
from mmcv_replace.cnn.utils.winograd_phases import phase_conv2d, phase_share

from .winograd_inputs import error, inputs

# images, channels in and out, height and width, dilation: phases of all lengths from 1 to 12, of
# one length and of two, fewer rows than phases, groups of channels (of 256) and of images (of 4).
CASES = [
    (2, 5, 7, 64, 64, (12, 12)), (1, 3, 2, 36, 49, (12, 16)), (1, 3, 2, 23, 12, (12, 3)),
    (1, 300, 2, 13, 9, (6, 20)), (5, 3, 2, 25, 36, (5, 4)), (1, 2, 3, 21, 24, (3, 3)),
    (1, 2, 2, 9, 10, (1, 1)), (1, 2, 2, 11, 12, (1, 1)), (9, 2, 2, 8, 7, (8, 9))]


@pytest.mark.parametrize('apart', [False, True, None])
@pytest.mark.parametrize('case', CASES, ids=str)
def test_values_and_gradients_of_torch(case, apart, monkeypatch):
    """Whether long and short phases are computed together, apart, or in the cheaper way."""
    if apart is not None:
        inner = winograd_phases._phases
        monkeypatch.setattr(winograd_phases, '_phases',
                            lambda size, step, _: inner(size, step, apart))
    winograd_phases._plan.cache_clear()
    leaves, step = inputs(case), case[-1]
    found = phase_conv2d(*leaves, step)
    expected = F.conv2d(*leaves, padding=step, dilation=step)
    assert error(found, expected) < 1e-13
    outer = torch.randn_like(expected)
    for own, plain in zip(torch.autograd.grad(found, leaves, outer),
                          torch.autograd.grad(expected, leaves, outer), strict=True):
        assert error(own, plain) < 1e-13
    winograd_phases._plan.cache_clear()


@pytest.mark.parametrize(('dilation', 'limit'), [(12, 7e-6), (16, 3e-6), (24, 2e-6), (36, 1e-6)])
def test_rounding_in_float32(dilation, limit):
    leaves, step = inputs((1, 256, 64, 64, 64, None), torch.float32), (dilation, dilation)
    exact = [leaf.detach().double().requires_grad_() for leaf in leaves]
    found, expected = (phase_conv2d(*leaves, step),
                       F.conv2d(*exact, padding=step, dilation=step))
    assert error(found, expected) < limit
    outer = torch.randn_like(expected)
    for own, plain in zip(torch.autograd.grad(found, leaves, outer.float()),
                          torch.autograd.grad(expected, exact, outer), strict=True):
        assert error(own, plain) < limit


def test_maps_that_do_not_lie_in_order():
    x, weight, bias = inputs((2, 5, 7, 13, 9, None))
    last = [each.detach().to(memory_format=torch.channels_last) for each in (x, weight)]
    last[0].requires_grad_()
    expected = F.conv2d(x, weight, bias, padding=4, dilation=4)
    found = phase_conv2d(*last, bias, (4, 4))
    assert error(found, expected) < 1e-13
    outer = torch.randn(7, 1, 1, dtype=torch.float64).expand(2, 7, 13, 9)
    assert error(torch.autograd.grad(found, last[0], outer)[0],
                 torch.autograd.grad(expected, x, outer)[0]) < 1e-13


@pytest.mark.parametrize('frozen', [0, 1, 2])
def test_frozen_tensors_get_no_gradient(frozen, monkeypatch):
    """Nor is anything computed for them."""
    leaves = inputs((1, 3, 4, 8, 8, None))
    leaves[frozen].requires_grad_(False)
    if frozen == 1:
        monkeypatch.setattr(winograd_phases._Place, 'kernel_gradient',
                            lambda *args: pytest.fail('computed'))
    phase_conv2d(*leaves, (3, 3)).sum().backward()
    assert [leaf.grad is None for leaf in leaves] == [i == frozen for i in range(3)]


def test_what_inference_caches_serves_training():
    winograd_phases._plan.cache_clear()
    winograd_phases._filter.cache_clear()
    leaves = inputs((1, 2, 2, 8, 8, None))
    with torch.inference_mode():
        phase_conv2d(*leaves, (3, 3))
    phase_conv2d(*leaves, (3, 3)).sum().backward()


@pytest.mark.parametrize(('size', 'dilation', 'share'), [
    # 8 products of 6 rows for each of 12 phases; 28 phases of 2 rows and 8 of 1. A kernel costs 64.
    ((64, 64), 12, ((12 * 8) ** 2 * 2 + 64 * 64) / (2 * 9 * 64**2)),
    ((64, 64), 36, ((28 * 3 + 8) ** 2 * 2 + 64 * 16) / (2 * 9 * 64**2)),
    ((64, 64), 4, float('inf'))])
def test_share_of_the_work(size, dilation, share):
    assert phase_share(2, size, (dilation, dilation)) == pytest.approx(share)


@pytest.mark.parametrize(('dilation', 'phases'), [(1, False), (4, False), (12, True), (36, True)])
def test_a_layer_takes_the_cheaper_form(dilation, phases, monkeypatch):
    monkeypatch.setattr(winograd_conv, '_LEAST_CHANNELS', 1)
    calls = []
    for name in ('phase_conv2d', 'winograd_conv2d', 'phase_gradients', 'winograd_gradients'):
        inner = getattr(winograd_conv, name)
        monkeypatch.setattr(winograd_conv, name, lambda *args, name=name, inner=inner:
                            calls.append(name) or inner(*args))
    plain = torch.nn.Conv2d(4, 4, 3, padding=dilation, dilation=dilation)
    x = torch.randn(2, 4, 64, 64)
    expected = plain.requires_grad_(False)(x)
    torch.testing.assert_close(use_winograd(plain)(x), expected, rtol=1e-4, atol=1e-4)
    winograd_conv.convolution_gradients(plain, expected, x, plain.weight, (True, True, True))
    kind = 'phase' if phases else 'winograd'
    assert calls == [f'{kind}_conv2d', f'{kind}_gradients']
