"""Optimizers under the vendor's names, on a device that is not the vendor's."""
import pytest
import torch
from torch import nn

from mmcv_replace.device import fused_optimizers
from mmcv_replace.runner import OPTIMIZERS, build_optimizer
from mmcv_replace.runner.optimizer import builder
from mmcv_replace.runner.optimizer_state import load_optimizer_state
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


def switches(name='SGD', **options):
    defaults = build_optimizer(nn.Linear(2, 2), dict(type=name, lr=1., **options)).defaults
    return defaults['fused'], defaults['foreach']


def test_the_optimizers_of_torch_are_fused_where_nothing_else_is_chosen(monkeypatch):
    assert switches() == switches('AdamW') == (True, None)
    assert switches(paramwise_cfg=dict(bias_lr_mult=2.)) == (True, None)
    assert switches(fused=False) == (False, None)
    assert switches(foreach=True) == (None, True)
    assert 'fused' not in build_optimizer(nn.Linear(2, 2), dict(type='RMSprop')).defaults
    monkeypatch.setattr(builder, 'fused_optimizers', lambda device: ())
    assert switches() == (None, None)


def test_fused_where_the_device_has_the_kernels():
    """torch refuses a fused Adagrad on CUDA up to some version."""
    cuda, cpu = (fused_optimizers(torch.device(kind)) for kind in ('cuda', 'cpu'))
    assert {'SGD', 'Adam', 'AdamW'} <= {*cuda} & {*cpu}
    assert 'Adagrad' in cpu
    assert 'Adagrad' not in cuda
    for name in cpu:
        parameter = nn.Parameter(torch.ones(2))
        parameter.grad = torch.ones(2)
        getattr(torch.optim, name)([parameter], lr=0.1, fused=True).step()
        assert not torch.equal(parameter, torch.ones(2))


def test_another_class_under_the_name_of_torchs(monkeypatch):
    class Own(torch.optim.SGD):
        pass

    monkeypatch.setitem(OPTIMIZERS.module_dict, 'SGD', Own)
    assert switches() == (None, None)


def test_an_optimizer_of_the_user_gets_nothing_that_it_did_not_ask_for(monkeypatch):
    class Mine(torch.optim.SGD):
        pass

    monkeypatch.setitem(OPTIMIZERS.module_dict, 'Mine', Mine)
    assert switches('Mine') == (None, None)


def test_kernels_are_chosen_here_and_not_by_the_checkpoint():
    """It may have been written on another device, or by an older version."""
    (ours, _), (theirs, _) = (steps(lambda model, fused=fused: build_optimizer(
        model, dict(type='SGD', lr=1., momentum=0.9, fused=fused))) for fused in (True, False))
    saved = theirs.state_dict()
    saved['param_groups'][0]['lr'] = 0.25
    load_optimizer_state(ours, {'optimizer': saved}, 'x.pth')
    assert ours.param_groups[0]['fused'] is True
    assert ours.param_groups[0]['lr'] == 0.25
    assert theirs.param_groups[0]['fused'] is False


def test_a_wrong_option_is_named():
    with pytest.raises((ArgumentError, TypeError), match='momentun'):
        build_optimizer(nn.Linear(2, 2), dict(type='NpuFusedSGD', lr=1., momentun=0.9))
