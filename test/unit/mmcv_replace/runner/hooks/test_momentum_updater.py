from types import SimpleNamespace

import pytest
import torch

from mmcv_replace.runner import HOOKS
from mmcv_replace.runner.optimizer.momentum import read_momentum
from mmcv_replace.runner.schedules import policies
from mmcv_replace.utils.errors import ConfigError


def momenta_of(policy, optimizer_type='SGD', by_epoch=False, **options):
    """Momentum that the hook sets in each of 20 iterations (4 epochs)."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    kwargs = {'SGD': {'momentum': 0.9}, 'Adam': {'betas': (0.9, 0.99)}}.get(optimizer_type, {})
    optimizer = getattr(torch.optim, optimizer_type)([parameter], lr=0.1, **kwargs)
    hook = HOOKS.get(f'{policy}MomentumUpdaterHook')(by_epoch=by_epoch, **options)
    runner = SimpleNamespace(optimizer=optimizer, max_epochs=4, max_iters=20, iter=0, epoch=0,
                             data_loader=range(5))
    hook.before_run(runner)
    momenta = []
    for iteration in range(20):
        runner.iter, runner.epoch = iteration, iteration // 5
        hook.before_train_iter(runner)
        momenta.append(read_momentum(optimizer.param_groups[0]))
    if optimizer_type == 'Adam':
        assert optimizer.param_groups[0]['betas'][1] == 0.99
    return momenta


BY_ITER = {
    'Step': ({'step': 4, 'gamma': 0.5, 'min_momentum': 0.2},
             lambda i: policies.step(0.9, i, 4, 0.5, 0.2)),
    'CosineAnnealing': ({'min_momentum': 0.5}, lambda i: policies.cosine(0.9, i, 20, 0.5)),
    'LinearAnnealing': ({'min_momentum_ratio': 0.5}, lambda i: 0.9 - 0.45 * i / 20),
    'Cyclic': ({'target_ratio': (0.8, 1.1), 'cyclic_times': 2, 'step_ratio_up': 0.3},
               lambda i: policies.cyclic(0.9, i, 20, (0.8, 1.1), 2, 0.3)),
    'OneCycle': ({'base_momentum': 0.7, 'max_momentum': 0.8, 'pct_start': 0.4,
                  'anneal_strategy': 'linear', 'three_phase': True},
                 lambda i: policies.one_cycle(i, 20, 0.4, (0.8, 0.7, 0.8), 'linear', True)),
}


@pytest.mark.parametrize('optimizer_type', ['SGD', 'Adam'])
@pytest.mark.parametrize('policy', BY_ITER)
def test_policy(policy, optimizer_type):
    options, expected = BY_ITER[policy]
    assert momenta_of(policy, optimizer_type, **options) == pytest.approx(
        [expected(i) for i in range(20)], rel=1e-12)


def test_every_policy_is_tested():
    policies = {name.removesuffix('MomentumUpdaterHook') for name in HOOKS
                if name.endswith('MomentumUpdaterHook')}
    assert policies == set(BY_ITER)


def test_ratio_of_the_base_and_epochs():
    momenta = momenta_of('CosineAnnealing', by_epoch=True, min_momentum_ratio=0.5)
    assert momenta == [policies.cosine(0.9, epoch, 4, 0.45) for epoch in range(4)
                       for _ in range(5)]


def test_one_cycle_equal_to_torch():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1, momentum=0.9)
    running = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1, total_steps=20)
    expected = []
    for _ in range(19):
        expected.append(optimizer.param_groups[0]['momentum'])
        optimizer.step()
        running.step()
    assert momenta_of('OneCycle')[:-1] == pytest.approx(expected)


def test_warmup_starts_high():
    momenta = momenta_of('Step', step=100, warmup='linear', warmup_iters=4, warmup_ratio=0.9)
    assert momenta[0] == pytest.approx(1.0)
    assert momenta[2] == pytest.approx(0.9 / 0.95)
    assert momenta[4:] == [0.9] * 16


def test_optimizer_without_momentum():
    with pytest.raises(ConfigError, match="needs an optimizer with 'momentum' or 'betas'"):
        momenta_of('Step', 'Adagrad', step=1)
    with pytest.raises(ConfigError, match='has lr'):
        momenta_of('OneCycle', 'Adagrad')


def test_alternatives():
    with pytest.raises(ConfigError, match='min_momentum or min_momentum_ratio, not both'):
        momenta_of('CosineAnnealing', min_momentum=1, min_momentum_ratio=1)


@pytest.mark.parametrize(('policy', 'options', 'key', 'leads_to'), [
    ('Step', {'step': 4, 'min_momentum': 0.95}, 'min_momentum', '0.95'),
    ('CosineAnnealing', {'min_momentum': 0.95}, 'min_momentum', '0.95')])
@pytest.mark.parametrize('optimizer_type', ['SGD', 'Adam'])
def test_a_minimum_does_not_lift(policy, options, key, leads_to, optimizer_type, log_lines):
    assert momenta_of(policy, optimizer_type, **options) == [0.9] * 20
    told, = log_lines
    assert told.startswith(f'momentum_config.{key} leads to {leads_to}, which is above the '
                           'momentum that 1 of 1 optimizer groups start with (0.9)')


def test_a_ratio_above_one_is_a_target():
    momenta = momenta_of('LinearAnnealing', min_momentum_ratio=1.05)
    assert momenta == pytest.approx([0.9 + 0.045 * i / 20 for i in range(20)])


def test_a_momentum_that_never_fades(log_lines):
    options = dict(step=100, warmup='linear', warmup_iters=4, warmup_ratio=0.8)
    assert momenta_of('Step', **options)[0] == pytest.approx(1.125)
    told, = log_lines
    assert told.startswith('StepMomentumUpdaterHook sets the momentum to 1.125, and from 1 on old '
                           'gradients never fade: correct momentum_config, whose warmup_ratio')
    with pytest.raises(ConfigError, match='sets the momentum to 1.125'):
        momenta_of('Step', 'Adam', **options)
