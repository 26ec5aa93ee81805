"""Batch norms with fast statistics: values, gradients, running statistics, when they are used."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import HostBatchNorm2d, use_host_norms
from mmcv_replace.cnn.utils import host_norm
from mmcv_replace.cnn.utils.host_norm import HostBatchNormXd, uses_host_norm
from mmcv_replace.cnn.utils.recompute import norm_relu_conv
from mmcv_replace.cnn.utils.sync_bn import BatchNormXd


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Maps that are too small to profit take part, in several blocks."""
    monkeypatch.setattr(host_norm, '_LEAST_VALUES', 1)
    monkeypatch.setattr(host_norm, '_BLOCK', 200)


def make(kind=nn.BatchNorm2d, channels=5, **options):
    norm = kind(channels, **options)
    if norm.affine:
        torch.manual_seed(1)
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.uniform_(norm.bias)
    return norm


def images(*shape, shift=0.0, dtype=torch.float32):
    return (torch.randn(*shape, generator=torch.Generator().manual_seed(2)) * 3 + shift).to(dtype)


@pytest.mark.parametrize('longest', [1, 2**14])
@pytest.mark.parametrize('kind', [nn.BatchNorm2d, BatchNormXd])
@pytest.mark.parametrize('options', [{}, dict(momentum=None), dict(momentum=0.3, eps=0.1),
                                     dict(track_running_stats=False)], ids=str)
def test_values_gradients_and_statistics(monkeypatch, kind, options, longest):
    monkeypatch.setattr(host_norm, '_LONGEST_SUM', longest)
    plain = make(kind, **options).double()
    ours = use_host_norms(copy.deepcopy(plain))
    assert type(ours) in (HostBatchNorm2d, HostBatchNormXd)
    for shape in ((2, 5, 7, 9), (3, 5, 4, 4), (1, 5, 1, 2)):
        found = []
        for norm in (plain, ours):
            x = images(*shape, dtype=torch.float64).requires_grad_()
            norm.zero_grad()
            y = norm(x)
            (y * torch.arange(y.numel()).view_as(y)).sum().backward()
            found.append([y, x.grad, norm.weight.grad, norm.bias.grad, *norm.buffers()])
        for one, other in zip(*found, strict=True):
            torch.testing.assert_close(one, other)


def test_no_digits_are_lost_by_a_large_mean():
    x = images(2, 5, 40, 40, shift=3000)
    expected = make().double()(x.double())
    error = (use_host_norms(make())(x) - expected).norm() / expected.norm()
    assert error < 1e-4  # the mean itself, as float32, is wrong by 6e-5 of a standard deviation


def test_the_state_stays():
    norm = make()
    before = {key: id(value) for key, value in norm.named_parameters()}
    keys = list(norm.state_dict())
    assert use_host_norms(nn.Sequential(norm))[0] is norm
    assert list(norm.state_dict()) == keys
    assert {key: id(value) for key, value in norm.named_parameters()} == before


class OwnNorm(nn.BatchNorm2d):
    """A norm with a way of its own."""


@pytest.mark.parametrize('norm', [OwnNorm(5), nn.SyncBatchNorm(5), nn.GroupNorm(1, 5),
                                  nn.InstanceNorm2d(5)], ids=str)
def test_other_layers_stay(norm):
    kind = type(norm)
    assert type(use_host_norms(norm)) is kind


def test_when_it_is_used(monkeypatch):
    norm, x = use_host_norms(make()), images(2, 5, 4, 4)
    assert uses_host_norm(norm, x)
    assert not uses_host_norm(make(), x)
    assert not uses_host_norm(norm.eval(), x)
    norm.train()
    assert not uses_host_norm(norm, x.to(memory_format=torch.channels_last))
    assert not uses_host_norm(norm, x.bfloat16())
    assert not uses_host_norm(norm, x.double())
    assert not uses_host_norm(use_host_norms(make(affine=False)), x)
    monkeypatch.setattr(host_norm, '_LEAST_VALUES', 2**17)
    assert not uses_host_norm(norm, x)
    monkeypatch.setattr(host_norm, '_LEAST_VALUES', 1)
    monkeypatch.setattr(host_norm, 'is_asynchronous', lambda device: True)
    assert not uses_host_norm(norm, x)


def test_results_where_it_is_not_used():
    norm, plain = use_host_norms(make()), make()
    for x in (images(2, 5, 4, 4).to(memory_format=torch.channels_last),
              images(2, 5, 4, 4).to(torch.float32)[:, :, ::2]):
        torch.testing.assert_close(norm(x), plain(x))
    torch.testing.assert_close(norm.eval()(x), plain.eval()(x))


@pytest.mark.parametrize('frozen', [(), ('0.weight', '0.bias'), ('2.weight',)])
def test_recomputed_in_backward(frozen):
    """The convolution behind it keeps the statistics; all is as without recomputing."""
    found = []
    for recompute in (False, True):
        torch.manual_seed(0)
        model = use_host_norms(nn.Sequential(make(), nn.ReLU(), nn.Conv2d(5, 3, 3)))
        for name, param in model.named_parameters():
            param.requires_grad_(name not in frozen)
        x = images(2, 5, 9, 9).requires_grad_()
        y = norm_relu_conv(*model, x, recompute)
        y.square().sum().backward()
        found.append([y, x.grad, *(param.grad for param in model.parameters()), *model.buffers()])
    for one, other in zip(*found, strict=True):
        assert one is other is None or torch.equal(one, other)
