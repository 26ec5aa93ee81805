"""Means over processes; the exchange is simulated: another process has three times the values."""
import pytest
import torch
from torch import nn

from mmcv_replace.parallel import allreduce
from mmcv_replace.runner import allreduce_grads, allreduce_params, fp16_utils


@pytest.fixture
def exchanged(monkeypatch):
    """Number of elements of each exchange between two processes."""
    sizes = []

    def all_reduce(tensor):
        sizes.append(tensor.numel())
        tensor.mul_(4)

    monkeypatch.setattr(allreduce, 'get_dist_info', lambda: (0, 2))
    monkeypatch.setattr(allreduce.dist, 'all_reduce', all_reduce)
    return sizes


def tensors():
    return [torch.ones(2, 3), torch.full((4,), 2., dtype=torch.float64), torch.full((5,), 3.)]


@pytest.mark.parametrize(('coalesce', 'sizes'), [(True, [11, 4]), (False, [6, 5, 4])])
def test_means_of_parameters(exchanged, coalesce, sizes):
    params = [nn.Parameter(tensor) for tensor in tensors()]
    allreduce_params(params, coalesce)
    for parameter, before in zip(params, tensors(), strict=True):
        assert torch.equal(parameter, before * 2)
    assert exchanged == sizes


def test_counters_are_averaged_too(exchanged):
    count = torch.tensor(3)
    allreduce_params([count])
    assert count == 6
    assert count.dtype is torch.int64


def test_means_of_gradients(exchanged):
    params = [nn.Parameter(tensor) for tensor in tensors()]
    for parameter in params[1:]:
        parameter.grad = torch.ones_like(parameter)
    params[2].requires_grad = False
    fp16_utils.allreduce_grads(params)
    assert exchanged == [4]
    assert params[0].grad is None
    assert torch.equal(params[1].grad, torch.full((4,), 2., dtype=torch.float64))
    assert torch.equal(params[2].grad, torch.ones(5))


@pytest.mark.parametrize(('limit', 'sizes'), [
    (-1, [1500000]), (4, [1000000, 500000]), (1, [500000] * 3)])
def test_size_of_an_exchange(exchanged, limit, sizes):
    allreduce_params([torch.ones(500000) for _ in range(3)], bucket_size_mb=limit)
    assert exchanged == sizes


def test_one_process_exchanges_nothing(monkeypatch):
    monkeypatch.setattr(allreduce.dist, 'all_reduce', lambda tensor: pytest.fail('an exchange'))
    allreduce_params(tensors())
    allreduce_grads([])
