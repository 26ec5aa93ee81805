"""Optimizers under the vendor's names, on a device that is not the vendor's."""
import pytest
import torch
from torch import nn

from mmcv_replace.runner import build_optimizer
from mmcv_replace.utils.errors import ArgumentError, ConfigError


def steps(optimizer_of, n=3):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    optimizer = optimizer_of(model)
    for _ in range(n):
        optimizer.zero_grad()
        model(torch.ones(2, 3)).square().sum().backward()
        optimizer.step()
    return optimizer, model.state_dict()


@pytest.mark.parametrize(('name', 'plain', 'options', 'switch'), [
    ('NpuFusedSGD', torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=1e-3), 'fused'),
    ('NpuFusedAdamW', torch.optim.AdamW, dict(lr=0.1), 'fused'),
    ('NpuFusedRMSprop', torch.optim.RMSprop, dict(lr=0.1), 'foreach'),
])
def test_they_step_as_the_optimizers_of_torch(name, plain, options, switch):
    optimizer, state = steps(lambda model: build_optimizer(model, dict(type=name, **options)))
    _, expected = steps(lambda model: plain(model.parameters(), **options))
    assert isinstance(optimizer, plain)
    assert optimizer.defaults[switch] is True
    for key, value in expected.items():
        torch.testing.assert_close(state[key], value)


def test_groups_are_kept():
    optimizer = build_optimizer(nn.Linear(2, 2), dict(
        type='NpuFusedSGD', lr=1., paramwise_cfg=dict(bias_lr_mult=2.)))
    assert sorted(group['lr'] for group in optimizer.param_groups) == [1., 2.]


def test_an_optimizer_that_only_the_vendor_has():
    with pytest.raises(ConfigError, match="'NpuFusedLamb' exists on its own device only"):
        build_optimizer(nn.Linear(2, 2), dict(type='NpuFusedLamb', lr=1.))


def test_a_wrong_option_is_named():
    with pytest.raises((ArgumentError, TypeError), match='momentun'):
        build_optimizer(nn.Linear(2, 2), dict(type='NpuFusedSGD', lr=1., momentun=0.9))
