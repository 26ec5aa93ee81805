"""Optimizers under the vendor's names, on a device that is not the vendor's."""
import pytest
import torch
from torch import nn

from mmcv_replace.device import DeviceKind, kind_of
from mmcv_replace.runner import OPTIMIZERS, DefaultOptimizerConstructor, Precision, build_optimizer
from mmcv_replace.runner.checkpoints.optimizer_state import load_optimizer_state
from mmcv_replace.runner.optimizer import builder, fused
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
    monkeypatch.setattr(builder, 'kind_of', lambda device: DeviceKind('cpu', backend='gloo'))
    assert switches() == (None, None)


def test_fused_where_the_device_has_the_kernels():
    """torch refuses a fused Adagrad on CUDA up to some version."""
    cuda, cpu = (kind_of(name).fused_optimizers for name in ('cuda', 'cpu'))
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


LOW = (torch.bfloat16, torch.float16)


@pytest.fixture
def idle_kernels(monkeypatch):
    """torch's fused SGD does nothing in low precision, in whatever version, as in 2.11 to 2.13."""
    kernel = torch._fused_sgd_

    def idle(params, *args, **kwargs):
        if params[0].dtype not in LOW:
            kernel(params, *args, **kwargs)

    fused.fused_works.cache_clear()
    monkeypatch.setattr(torch, '_fused_sgd_', idle)
    yield
    fused.fused_works.cache_clear()


def wide(dtype):
    """A model with more values in a weight than a vector of the processor holds."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(40, 8), nn.Linear(8, 1)).to(dtype)


def trained(model, optimizer, n=3):
    for _ in range(n):
        optimizer.zero_grad()
        model(torch.ones(2, 40, dtype=model[0].weight.dtype)).square().sum().backward()
        optimizer.step()
    return [parameter.detach().clone() for parameter in model.parameters()]


OPTIONS = [
    dict(type='SGD'), dict(type='SGD', momentum=0.9), dict(type='SGD', weight_decay=0.1),
    dict(type='SGD', momentum=0.9, nesterov=True), dict(type='SGD', maximize=True),
    dict(type='SGD', momentum=0.9, dampening=0.5), dict(type='NpuFusedSGD', momentum=0.9),
    dict(type='Adam'), dict(type='Adam', amsgrad=True, weight_decay=0.1), dict(type='AdamW'),
    dict(type='NpuFusedAdamW'), dict(type='Adagrad')]


@pytest.mark.parametrize('cfg', OPTIONS, ids=str)
@pytest.mark.parametrize('dtype', [*LOW, torch.float32, torch.float64])
def test_a_step_in_any_precision_is_that_of_the_plain_optimizer(cfg, dtype):
    cfg = {**cfg, 'lr': 0.001}
    plain = {**cfg, 'type': cfg['type'].removeprefix('NpuFused'), 'fused': False}
    ours, theirs = wide(dtype), wide(dtype)
    tolerance = max(1e-6, 2 * torch.finfo(dtype).eps)
    for got, expected in zip(trained(ours, build_optimizer(ours, cfg)),
                             trained(theirs, build_optimizer(theirs, plain)), strict=True):
        torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance)
    moved = [not torch.equal(a, b) for a, b in zip(ours.parameters(), wide(dtype).parameters(),
                                                   strict=True)]
    assert all(moved)


@pytest.mark.parametrize('dtype', LOW)
def test_kernels_that_do_nothing_are_left_out(dtype, idle_kernels, log_lines):
    model = wide(dtype)
    optimizer = build_optimizer(model, dict(type='SGD', lr=0.1, momentum=0.9))
    assert not optimizer.param_groups[0]['fused']
    assert not log_lines  # nobody asked for them
    assert build_optimizer(wide(torch.float32), dict(type='SGD', lr=0.1)).defaults['fused']
    asked = build_optimizer(model, dict(type='SGD', lr=0.1, fused=True))
    assert not asked.param_groups[0]['fused']
    assert not asked.defaults['fused']
    name = str(dtype).removeprefix('torch.')
    assert log_lines == [
        'optimizer SGD: fused=True is left out, since its fused kernel does not step weights of '
        f'{name} on cpu as SGD does without it. To keep it use float32 weights']
    build_optimizer(model, dict(type='NpuFusedSGD', lr=0.1))
    assert len(log_lines) == 2


def test_mixed_types_in_one_group_and_in_several(idle_kernels):
    for paramwise_cfg in (None, dict(bias_lr_mult=2.)):
        model = wide(torch.float32)
        model[0].bfloat16()
        optimizer = build_optimizer(model, dict(type='SGD', lr=0.1, paramwise_cfg=paramwise_cfg))
        assert not any(group['fused'] for group in optimizer.param_groups)


def test_no_loss_scaler_relies_on_kernels_that_are_left_out(idle_kernels):
    optimizer = build_optimizer(wide(torch.float16), dict(type='SGD', lr=0.1, fused=True))
    assert not optimizer._step_supports_amp_scaling


def test_master_weights_keep_their_fused_kernels(idle_kernels, log_lines):
    """The optimizer steps float32 copies then; without them it does as for others."""
    for masters in (True, False):
        precision = Precision('cpu', 'O2')
        model = wide(torch.float32)
        precision.cast(model)
        optimizer = build_optimizer(model, dict(type='SGD', lr=0.1, fused=True),
                                    precision.master_dtype)
        if masters:
            precision.attach(model, optimizer)
        for group in optimizer.param_groups:
            for parameter in group['params']:
                parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        assert bool(optimizer.param_groups[0]['fused']) is masters
        assert not torch.equal(optimizer.param_groups[0]['params'][0].float(),
                               wide(torch.float32)[0].weight)
        assert bool(log_lines) is not masters


def test_weights_that_change_or_come_later(idle_kernels, log_lines):
    model = wide(torch.float32)
    optimizer = build_optimizer(model, dict(type='SGD', lr=0.1))
    late = nn.Parameter(torch.ones(67, dtype=torch.bfloat16))
    late.grad = torch.ones_like(late)
    optimizer.add_param_group({'params': [late]})
    optimizer.step()
    assert torch.equal(late, torch.full_like(late, 0.9))
    assert 'weights of bfloat16 on cpu' in log_lines[0]
    cast = wide(torch.float32)
    optimizer = build_optimizer(cast, dict(type='SGD', lr=0.1))
    before = [p.detach().clone() for p in cast.half().parameters()]
    assert all(not torch.equal(a, b) for a, b in zip(before, trained(cast, optimizer),
                                                     strict=True))


def test_a_constructor_and_an_optimizer_of_the_user_are_looked_at_too(
        idle_kernels, make_runner, make_loader, log_lines):
    model = wide(torch.bfloat16)
    optimizer = DefaultOptimizerConstructor(dict(type='SGD', lr=0.1))(model)
    before = [p.detach().clone() for p in model.parameters()]
    assert all(not torch.equal(a, b) for a, b in zip(before, trained(model, optimizer),
                                                     strict=True))
    weight = nn.Parameter(torch.ones(67, dtype=torch.bfloat16))
    optimizer = torch.optim.SGD([weight], lr=0.1, fused=True)
    make_runner(optimizer=optimizer).run([make_loader()], [('train', 1)])
    assert not optimizer.param_groups[0]['fused']
    assert len([line for line in log_lines if 'fused=True is left out' in line]) == 2


def test_a_scaled_step_that_has_begun_is_not_changed(idle_kernels):
    optimizer = build_optimizer(wide(torch.float32), dict(type='SGD', lr=0.1))
    optimizer.add_param_group({'params': [nn.Parameter(torch.ones(2).half())]})
    optimizer.found_inf = torch.zeros(())
    with pytest.raises(ConfigError, match=r'or set optimizer\.fused=False'):
        optimizer.step()


def test_arithmetic_of_the_users_own_is_not_judged_by_torchs(idle_kernels, monkeypatch, log_lines):
    class Mine(torch.optim.SGD):
        def step(self, closure=None):
            pass

    monkeypatch.setitem(OPTIMIZERS.module_dict, 'Mine', Mine)
    optimizer = build_optimizer(wide(torch.bfloat16), dict(type='Mine', lr=0.1, fused=True))
    assert optimizer.param_groups[0]['fused'] is True
    assert not log_lines


@pytest.mark.parametrize('name', ['SGD', 'Adam', 'NpuFusedSGD'])
def test_parameters_that_torch_does_not_fuse(name, log_lines):
    model = nn.Module()
    model.weight = nn.Parameter(torch.ones(2, 2, dtype=torch.complex64))
    optimizer = build_optimizer(model, dict(type=name, lr=0.1))
    assert not optimizer.param_groups[0]['fused']
    model.weight.grad = torch.ones_like(model.weight)
    optimizer.step()
    if name == 'SGD':
        assert not log_lines
        model.count = nn.Parameter(torch.tensor([1]), requires_grad=False)
        build_optimizer(model, dict(type=name, lr=0.1, fused=True))
        assert log_lines == ['optimizer SGD: fused=True is left out, since not all parameters are '
                             'real floating-point numbers']


@pytest.mark.parametrize(('name', 'options'), [
    ('SGD', dict(momentum=0.9)), ('Adam', {}), ('AdamW', {}), ('Adagrad', {})])
def test_a_checkpoint_of_another_memory_format(name, options):
    """As of a GPU, where weights are channels_last: fused kernels of the CPU ignore strides."""
    def make(memory_format, fused):
        torch.manual_seed(0)
        model = nn.Conv2d(3, 4, 3).to(memory_format=memory_format)
        return model, build_optimizer(model, dict(type=name, lr=0.1, fused=fused, **options))

    def step(model, optimizer):
        optimizer.zero_grad()
        torch.manual_seed(1)
        model(torch.randn(2, 3, 8, 8)).square().sum().backward()
        optimizer.step()

    for first, second in ((torch.channels_last, torch.contiguous_format),
                          (torch.contiguous_format, torch.channels_last)):
        weights = []
        for kernels in (True, False):
            old, former = make(first, kernels)
            step(old, former)
            new, optimizer = make(second, kernels)
            new.load_state_dict(old.state_dict())
            load_optimizer_state(optimizer, {'optimizer': former.state_dict()}, 'x.pth')
            step(new, optimizer)
            weights.append(new.weight.detach())
        torch.testing.assert_close(*weights)
