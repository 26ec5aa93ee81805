"""Convolutions of small maps as a product of matrices, against torch's."""
import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmcv_replace.cnn import use_winograd
from mmcv_replace.cnn.utils import patch_conv, winograd_conv
from mmcv_replace.cnn.utils.patch_conv import patch_conv2d, prefers_patches
from mmcv_replace.cnn.utils.recompute import norm_relu_conv

LAST, PLAIN = torch.channels_last, torch.contiguous_format


@pytest.fixture
def small(monkeypatch):
    """Kernels that are too small to profit take part."""
    monkeypatch.setattr(patch_conv, '_LEAST_KERNEL', 1)
    monkeypatch.setattr(patch_conv, '_LARGEST_SHARE', 100)
    monkeypatch.setattr(winograd_conv, '_LEAST_CHANNELS', 1)


@pytest.fixture
def counted(monkeypatch):
    """Calls of the form and of its gradients."""
    calls = []
    for name in ('patch_conv2d', 'patch_gradients'):
        inner = getattr(winograd_conv, name)
        monkeypatch.setattr(winograd_conv, name, lambda *args, name=name, inner=inner: (
            calls.append(name) or inner(*args)))
    return calls


@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('of_map', [LAST, PLAIN])
@pytest.mark.parametrize('of_weight', [LAST, PLAIN])
@pytest.mark.parametrize(('size', 'dilation'), [
    ((4, 3), (1, 1)), ((1, 1), (1, 1)), ((5, 2), (2, 3))])
def test_equal_to_torch(size, dilation, of_weight, of_map, bias):
    x = torch.randn(2, 5, *size, dtype=torch.float64).contiguous(memory_format=of_map)
    weight = torch.randn(7, 5, 3, 3, dtype=torch.float64).contiguous(memory_format=of_weight)
    leaves = [x, weight, *([torch.randn(7, dtype=torch.float64)] if bias else [])]
    for leaf in leaves:
        leaf.requires_grad_()
    shift = leaves[2] if bias else None
    found = patch_conv2d(x, weight, shift, dilation)
    expected = F.conv2d(x, weight, shift, padding=dilation, dilation=dilation)
    torch.testing.assert_close(found, expected)
    if size != (1, 1):  # where all formats are the same
        assert found.stride() == expected.stride()
    grad = torch.randn_like(expected)
    gradients = torch.autograd.grad(found, leaves, grad)
    torch.testing.assert_close(gradients, torch.autograd.grad(expected, leaves, grad))
    assert gradients[1].stride() == weight.stride()


def test_a_part_of_a_weight():
    x, weight = torch.randn(1, 3, 4, 4), torch.randn(6, 7, 3, 3)
    for kernel in (weight, weight.to(memory_format=LAST)):
        torch.testing.assert_close(patch_conv2d(x, kernel[:, 4:], None, (1, 1)),
                                   F.conv2d(x, weight[:, 4:], padding=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(('shape', 'channels', 'taken'), [
    ((2, 1024, 4, 4), 1024, True), ((2, 512, 8, 8), 512, True), ((2, 512, 16, 16), 512, False),
    ((1, 64, 2, 2), 64, False)])
def test_maps_that_are_small_beside_the_kernel(shape, channels, taken):
    assert prefers_patches(torch.empty(shape), torch.empty(channels, shape[1], 3, 3)) == taken


@pytest.mark.usefixtures('small')
def test_layers_use_it(counted):
    plain = nn.Conv2d(4, 6, 3, padding=1)
    x = torch.randn(2, 4, 5, 3)
    torch.testing.assert_close(use_winograd(copy.deepcopy(plain))(x), plain(x))
    assert counted == ['patch_conv2d']
    with torch.autocast('cpu', torch.bfloat16):
        use_winograd(copy.deepcopy(plain))(x)
    assert len(counted) == 1


@pytest.mark.usefixtures('small')
def test_behind_a_recomputed_norm(counted):
    plain = nn.ModuleList([nn.BatchNorm2d(4), nn.ReLU(inplace=True),
                           nn.Conv2d(4, 6, 3, padding=1)]).double()
    ours = use_winograd(copy.deepcopy(plain))
    start = torch.randn(2, 4, 3, 3, dtype=torch.float64)
    results = []
    for each in (ours, plain):
        x = start.clone().requires_grad_()
        out = norm_relu_conv(*each, x * 1, recompute=True)
        out.square().sum().backward()
        results.append([out.detach(), x.grad, *(p.grad for p in each.parameters())])
    assert counted == ['patch_conv2d', 'patch_gradients']
    torch.testing.assert_close(results[0], results[1])
