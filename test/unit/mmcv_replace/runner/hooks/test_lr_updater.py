"""What the optimizer's groups hold in each iteration."""
from types import SimpleNamespace

import pytest
import torch

from mmcv_replace.runner import HOOKS, Hook, LrUpdaterHook
from mmcv_replace.runner.hooks.lr_updater import (
    annealing_cos,
    annealing_linear,
    get_position_from_periods,
)
from mmcv_replace.utils.errors import ConfigError

from .policy_cases import BY_ITER


def rates_of(policy, by_epoch=False, max_epochs=4, epoch_length=5, lrs=(0.1, 0.2), **options):
    """Rates [iteration][group] that the hook sets, in a run of max_epochs * epoch_length."""
    optimizer = torch.optim.SGD([{'params': [torch.nn.Parameter(torch.zeros(1))], 'lr': lr}
                                 for lr in lrs], lr=1)
    hook = HOOKS.get(f'{policy}LrUpdaterHook')(by_epoch=by_epoch, **options)
    runner = SimpleNamespace(optimizer=optimizer, max_epochs=max_epochs, iter=0, epoch=0,
                             max_iters=max_epochs * epoch_length, data_loader=range(epoch_length))
    hook.before_run(runner)
    rates = []
    for iteration in range(max_epochs * epoch_length):
        runner.iter, runner.epoch = iteration, iteration // epoch_length
        hook.before_train_iter(runner)
        rates.append([group['lr'] for group in optimizer.param_groups])
    return rates


@pytest.mark.parametrize('policy', BY_ITER)
def test_policy_by_iteration(policy):
    options, expected = BY_ITER[policy]
    bases = (0.1, 0.2)
    assert rates_of(policy, **options) == [
        [pytest.approx(expected(base, i), rel=1e-12) for base in bases] for i in range(20)]


@pytest.mark.parametrize('policy', [name for name in BY_ITER if name not in ('Cyclic', 'OneCycle')])
def test_policy_by_epoch(policy):
    """Like a run of four iterations, each held for the five of an epoch."""
    options = dict(BY_ITER[policy][0])
    if policy == 'CosineRestart':
        options['periods'] = [2, 2]
    by_epoch = rates_of(policy, by_epoch=True, **options)
    short = rates_of(policy, by_epoch=False, max_epochs=4, epoch_length=1, **options)
    assert by_epoch == [rates for rates in short for _ in range(5)]
    assert by_epoch[0] != by_epoch[-1] or policy == 'Fixed'


def test_every_policy_is_tested():
    names = {name.removesuffix('LrUpdaterHook') for name in HOOKS if name.endswith('LrUpdaterHook')}
    missing = names - set(BY_ITER)
    assert not missing, f'add rows of {missing} to BY_ITER in policy_cases.py'


@pytest.mark.parametrize('by_epoch', [False, True])
@pytest.mark.parametrize(('warmup', 'factors'), [
    ('constant', [0.25] * 4), ('linear', [0.25, 0.4375, 0.625, 0.8125]),
    ('exp', [0.25**1, 0.25**0.75, 0.25**0.5, 0.25**0.25])])
def test_warmup_scales_the_scheduled_rate(by_epoch, warmup, factors):
    cold = rates_of('Exp', by_epoch, gamma=0.9)
    warm = rates_of('Exp', by_epoch, gamma=0.9, warmup=warmup, warmup_iters=4, warmup_ratio=0.25)
    assert warm[:4] == [[pytest.approx(rate * factor) for rate in rates]
                        for rates, factor in zip(cold[:4], factors, strict=True)]
    assert warm[4:] == cold[4:]


def test_warmup_by_epoch():
    options = {'gamma': 0.9, 'warmup': 'linear', 'warmup_ratio': 0.1}
    assert rates_of('Exp', warmup_iters=2, warmup_by_epoch=True, **options) == rates_of(
        'Exp', warmup_iters=10, **options)


def test_initial_rate_is_kept_in_the_group_for_a_resume():
    group = {'params': [torch.nn.Parameter(torch.zeros(1))], 'lr': 0.05, 'initial_lr': 0.4}
    runner = SimpleNamespace(optimizer=torch.optim.SGD([group], lr=1), iter=0, max_iters=10)
    hook = HOOKS.get('PolyLrUpdaterHook')(by_epoch=False)
    hook.before_run(runner)
    assert hook.base_lr == [0.4]


def test_one_number_as_target_ratio():
    assert rates_of('Cyclic', target_ratio=10) == rates_of('Cyclic', target_ratio=(10, 1e-4))


def test_one_cycle_over_more_steps_than_the_run():
    longer = rates_of('OneCycle', max_lr=1.0, total_steps=40)
    assert longer == rates_of('OneCycle', max_lr=1.0, max_epochs=8)[:20]


def test_policy_of_the_users(make_runner, make_loader):
    seen = []

    class Halving(LrUpdaterHook):
        def get_lr(self, runner, base_lr):
            return base_lr / 2**runner.iter

    class Watch(Hook):
        def before_train_iter(self, runner):
            seen.append(runner.current_lr()[0])

    runner = make_runner(lr=0.8)
    runner.register_lr_hook(Halving(by_epoch=False))
    runner.register_hook(Watch())
    runner.run([make_loader()], [('train', 1)])
    assert seen == [0.8, 0.4, 0.2]


def test_warm_up_of_the_users_by_epoch(make_runner, make_loader):
    """It finds the length in iterations where mmcv has it."""
    class Square(LrUpdaterHook):
        def get_lr(self, runner, base_lr):
            return base_lr

        def get_warmup_lr(self, cur_iters):
            return [rate * ((cur_iters + 1) / self.warmup_iters)**2 for rate in self.regular_lr]

    class Watch(Hook):
        def after_train_iter(self, runner):
            seen.append(runner.current_lr()[0])

    seen = []
    runner = make_runner(by_epoch=True, max_epochs=3, lr=1.6)
    hook = Square(warmup='linear', warmup_iters=2, warmup_by_epoch=True)
    runner.register_lr_hook(hook)
    runner.register_hook(Watch())
    runner.run([make_loader(length=4)], [('train', 1)])
    assert seen == pytest.approx([0.1, 0.4, 0.9, 1.6, 1.6, 1.6])
    assert (hook.warmup_epochs, hook.warmup_iters) == (2, 4)


def test_functions_for_policies_of_the_users():
    assert annealing_cos(start=1.0, end=0.0, factor=0.25, weight=2) == pytest.approx(1 + 0.5**0.5)
    assert annealing_linear(start=1.0, end=0.0, factor=0.25) == 0.75
    assert [get_position_from_periods(i, [2, 5]) for i in range(5)] == [0, 0, 1, 1, 1]
    with pytest.raises(ValueError, match='5 is in none of the periods, which end at 2, 5'):
        get_position_from_periods(5, [2, 5])


@pytest.mark.parametrize(('policy', 'options', 'message'), [
    ('Fixed', {'warmup': 'quick'}, "'quick' is unknown: choose 'constant'"),
    ('Fixed', {'warmup': 'linear'}, 'warmup_iters > 0'),
    ('Fixed', {'warmup': 'linear', 'warmup_iters': 1, 'warmup_ratio': 0}, 'warmup_ratio'),
    ('Step', {'step': 0}, 'step is a number'), ('Step', {'step': []}, 'step is a number'),
    ('Step', {'step': [1, 2.5]}, r'\[1, 2\.5\]'),
    ('CosineAnnealing', {}, 'min_lr or min_lr_ratio, and got neither'),
    ('CosineAnnealing', {'min_lr': 0, 'min_lr_ratio': 0}, 'not both'),
    ('FlatCosineAnnealing', {'min_lr': 0, 'start_percent': 1}, r'start_percent .* \[0, 1\)'),
    ('CosineRestart', {'min_lr': 0, 'periods': [1, 2]}, '2 periods'),
    ('Cyclic', {'by_epoch': True}, 'works by iteration'),
    ('Cyclic', {'target_ratio': (1, 2, 3)}, 'one number or two'),
    ('Cyclic', {'step_ratio_up': 1}, 'step_ratio_up'), ('Cyclic', {'cyclic_times': 0}, 'cyclic_t'),
    ('OneCycle', {'max_lr': 1, 'by_epoch': True}, 'works by iteration'),
    ('OneCycle', {'max_lr': 1, 'pct_start': 0}, 'pct_start'),
    ('OneCycle', {'max_lr': 1, 'anneal_strategy': 'exp'}, "choose 'cos' or 'linear'"),
    ('OneCycle', {'max_lr': [1]}, '1 values for 2 optimizer groups'),
    ('OneCycle', {'max_lr': 1, 'total_steps': 10}, 'ends before the run of 20'),
])
def test_errors(policy, options, message):
    with pytest.raises(ConfigError, match=message):
        rates_of(policy, **options)


def test_epochs_need_to_be_known(make_runner, make_loader):
    runner = make_runner()
    runner.register_lr_hook({'policy': 'poly', 'by_epoch': True})
    with pytest.raises(ConfigError, match='set by_epoch=False for IterBasedRunner'):
        runner.run([make_loader()], [('train', 1)])


# Each with a minimum above the second group, which starts with 0.01, and what the first does.
HIGH_MINIMUM = {
    'Step': {'step': 2, 'gamma': 0.5, 'min_lr': 0.03},
    'Poly': {'power': 0.9, 'min_lr': 0.03},
    'CosineAnnealing': {'min_lr': 0.03},
    'LinearAnnealing': {'min_lr': 0.03},
    'FlatCosineAnnealing': {'min_lr': 0.03, 'start_percent': 0.3},
    'CosineRestart': {'periods': [10, 10], 'restart_weights': [1, 0.5], 'min_lr': 0.03},
}


@pytest.mark.parametrize('policy', HIGH_MINIMUM)
def test_a_minimum_lifts_no_group(policy, log_lines):
    alone = rates_of(policy, lrs=(0.1,), **HIGH_MINIMUM[policy])
    assert not log_lines
    both = rates_of(policy, lrs=(0.1, 0.01, 0.), **HIGH_MINIMUM[policy])
    assert [rates[:1] for rates in both] == alone
    assert {(low, frozen) for _, low, frozen in both} == {(0.01, 0.)}
    told, = log_lines
    assert told == ('lr_config.min_lr leads to 0.03, which is above the learning rate that 2 of 3 '
                    'optimizer groups start with (0, 0.01): these keep theirs to the end, instead '
                    'of rising. Set a smaller min_lr')


@pytest.mark.parametrize('policy', ['CosineAnnealing', 'FlatCosineAnnealing', 'CosineRestart'])
def test_a_ratio_above_one_lifts_no_group(policy, log_lines):
    options = {'periods': [20]} if policy == 'CosineRestart' else {}
    assert rates_of(policy, min_lr_ratio=2, **options) == [[0.1, 0.2]] * 20
    assert 'lr_config.min_lr_ratio leads to 0.2, which is above the learning rate' in log_lines[0]


def test_the_shipped_schedule_with_a_smaller_rate():
    """poly with min_lr=1e-4 once led from 6e-05 to 9.2e-05."""
    rates = rates_of('Poly', lrs=(6e-5,), power=0.9, min_lr=1e-4, warmup='linear',
                     warmup_iters=5, warmup_ratio=1e-6)
    assert max(rates) == [6e-5]
    assert rates[0] == [pytest.approx(6e-11)]
    assert rates[5:] == [[6e-5]] * 15


def test_the_arithmetic_of_published_results_stays():
    rates = rates_of('Poly', lrs=(0.01, 1e-4), power=0.9, min_lr=1e-4)
    assert rates == [[(0.01 - 1e-4) * (1 - i / 20)**0.9 + 1e-4, 1e-4] for i in range(20)]


@pytest.mark.parametrize(('policy', 'options'), [
    ('Step', {'step': 10, 'gamma': 10}), ('Exp', {'gamma': 1.1}),
    ('Inv', {'gamma': 0.1, 'power': -1}), ('Poly', {'power': -0.5}),
    ('CosineRestart', {'periods': [10, 10], 'restart_weights': [1, 3], 'min_lr': 0})])
def test_a_rise_that_the_settings_ask_for_is_told_once(policy, options, log_lines):
    rates = rates_of(policy, **options)
    assert max(rate for rate, _ in rates) > 0.1
    told, = log_lines
    assert f'{policy}LrUpdaterHook raises the learning rate above the 0.1 that' in told
    assert 'see lr_config' in told


@pytest.mark.parametrize('policy', BY_ITER)
def test_policies_that_rise_by_design_and_ordinary_settings_are_no_news(policy, log_lines):
    rates_of(policy, **BY_ITER[policy][0])
    assert not log_lines


def test_cycles_with_straight_lines_that_become_lower():
    rates = rates_of('Cyclic', target_ratio=(3, 0.5), cyclic_times=2, step_ratio_up=0.5,
                     anneal_strategy='linear', gamma=0.5, lrs=(0.1,))
    up = [0.1 + 0.2 * i / 5 for i in range(5)]
    lower = [0.1 + 0.1 * i / 5 for i in range(5)]
    down, lower_down = ([top + (0.05 - top) * i / 5 for i in range(5)] for top in (0.3, 0.2))
    assert [rate for rate, in rates] == pytest.approx([*up, *down, *lower, *lower_down])


def test_a_restart_needs_periods_for_the_whole_run():
    with pytest.raises(ValueError, match=r'periods=\[10, 9\] end after 19 iterations, and the run'):
        rates_of('CosineRestart', periods=[10, 9], restart_weights=[1, 1], min_lr=0)


def test_one_cycle_of_optimizers_by_name():
    optimizers = {name: torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1)
                  for name in 'ab'}
    hook = HOOKS.get('OneCycleLrUpdaterHook')({'a': 1.0, 'b': [2.0]}, div_factor=10)
    runner = SimpleNamespace(optimizer=optimizers, max_iters=9, iter=0)
    hook.before_run(runner)
    hook.before_train_iter(runner)
    assert {name: each.param_groups[0]['lr'] for name, each in optimizers.items()} == pytest.approx(
        {'a': 0.1, 'b': 0.2})
    hook.max_lr = {'a': 1.0}
    with pytest.raises(ConfigError, match='max_lr is for the optimizers a, and the runner has a,'):
        hook.before_run(runner)


class Steep(LrUpdaterHook):
    """A policy as user code writes it."""

    def __init__(self, factor=0.5, **kwargs):
        self.factor = factor
        super().__init__(**kwargs)

    def get_lr(self, runner, base_lr):
        return base_lr * self.factor**runner.iter


class Doubled(Steep):
    """Changes the results of the other methods."""

    def get_regular_lr(self, runner):
        return [2 * rate for rate in super().get_regular_lr(runner)]

    def get_warmup_lr(self, cur_iters):
        return [3 * rate for rate in super().get_warmup_lr(cur_iters)]


def test_a_policy_of_the_user(make_runner, make_loader, monkeypatch):
    monkeypatch.setitem(HOOKS._module_dict, 'SteepLrUpdaterHook', Steep)
    runner, seen = make_runner(max_iters=3), []
    runner.register_lr_hook(dict(policy='steep', factor=0.1, warmup='constant', warmup_iters=1,
                                 warmup_ratio=0.5))

    class Watch(Hook):
        def after_train_iter(self, runner):
            seen.extend(runner.current_lr())

    runner.register_hook(Watch())
    runner.run([make_loader()], [('train', 1)])
    assert seen == pytest.approx([0.05, 0.01, 0.001])
    hook = runner.hooks[0]
    assert hook.base_lr == [0.1]
    assert hook.regular_lr == pytest.approx([0.001])
    assert hook.get_warmup_lr(0) == pytest.approx([0.0005])


def test_methods_that_a_subclass_replaces():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    hook = Doubled(by_epoch=False, warmup='constant', warmup_iters=1, warmup_ratio=0.1)
    runner = SimpleNamespace(optimizer=optimizer, iter=0, data_loader=[])
    hook.before_run(runner)
    hook.before_train_iter(runner)
    assert optimizer.param_groups[0]['lr'] == pytest.approx(0.1 * 2 * 0.1 * 3)
    runner.iter = 1
    hook.before_train_iter(runner)
    assert optimizer.param_groups[0]['lr'] == pytest.approx(0.1 * 0.5 * 2)
    hook.base_lr = [1.0]
    assert hook.get_regular_lr(runner) == [1.0]
