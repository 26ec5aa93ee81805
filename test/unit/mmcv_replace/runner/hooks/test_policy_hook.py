"""The hook classes that are made from the table of schedules."""
import inspect
import pickle

import pytest

from mmcv_replace.runner import HOOKS, LrUpdaterHook, MomentumUpdaterHook
from mmcv_replace.runner.hooks import lr_updater, momentum_updater
from mmcv_replace.runner.hooks.policy_hook import policy_hook
from mmcv_replace.runner.schedules.table import POLICIES, Policy
from mmcv_replace.utils import build_from_cfg
from mmcv_replace.utils.errors import ArgumentError

MADE = [(module, base, name) for module, base in ((lr_updater, LrUpdaterHook),
                                                  (momentum_updater, MomentumUpdaterHook))
        for name, policy in POLICIES.items()
        if base is LrUpdaterHook or policy.momentum is not None]


@pytest.mark.parametrize(('module', 'base', 'name'), MADE)
def test_a_made_class_is_like_a_written_one(module, base, name):
    hook = HOOKS.get(f'{name}{base.__name__}')
    assert getattr(module, hook.__name__) is hook
    assert issubclass(hook, base)
    assert (hook.__module__, hook.__qualname__) == (module.__name__, hook.__name__)
    assert hook.__doc__ == POLICIES[name].function.__doc__
    assert inspect.signature(hook).parameters['kwargs'].kind is inspect.Parameter.VAR_KEYWORD


@pytest.mark.parametrize(('hook', 'signature'), [
    (lr_updater.StepLrUpdaterHook,
     '(step: int | list[int], gamma: float = 0.1, min_lr: float | None = None, **kwargs: Any)'),
    (momentum_updater.StepMomentumUpdaterHook,
     '(step: int | list[int], gamma: float = 0.5, min_momentum: float | None = None, '
     '**kwargs: Any)'),
    (lr_updater.FlatCosineAnnealingLrUpdaterHook,
     '(start_percent: float = 0.75, min_lr: float | None = None, '
     'min_lr_ratio: float | None = None, **kwargs: Any)'),
    (momentum_updater.CyclicMomentumUpdaterHook,
     '(by_epoch: bool = False, target_ratio: float | collections.abc.Sequence[float] = '
     '(0.8947368421052632, 1.0), cyclic_times: int = 1, step_ratio_up: float = 0.4, '
     "anneal_strategy: str = 'cos', gamma: float = 1.0, **kwargs: Any)"),
])
def test_signatures_are_those_of_mmcv(hook, signature):
    assert str(inspect.signature(hook)).replace('typing.', '').removesuffix(' -> None') == signature


def test_options_by_position_and_after_a_pickle():
    hook = pickle.loads(pickle.dumps(lr_updater.StepLrUpdaterHook([3, 7], 0.5, warmup='linear',
                                                                  warmup_iters=2)))
    assert type(hook) is lr_updater.StepLrUpdaterHook
    assert (hook.step, hook.gamma, hook.min_lr, hook.warmup_iters) == ([3, 7], 0.5, None, 2)


@pytest.mark.parametrize(('options', 'message'), [
    ({'powr': 1}, "did you mean 'power'"), ({'warmup_iter': 1}, "did you mean 'warmup_iters'"),
    ({'power': 'high'}, 'power'), ({'min_momentum': 0}, "'min_momentum'")])
def test_options_of_a_config_are_checked(options, message):
    with pytest.raises(ArgumentError, match=message):
        build_from_cfg({'type': 'PolyLrUpdaterHook', **options}, HOOKS)


def test_a_subclass_may_refine_a_schedule(make_runner, make_loader):
    class Half(lr_updater.PolyLrUpdaterHook):
        """Half of poly, whose power is another one from the second iteration on."""

        def get_lr(self, runner, base_lr):
            self.power = 1 if runner.iter == 0 else 2
            return super().get_lr(runner, base_lr) / 2

    runner, hook = make_runner(max_iters=4), Half(power=3, by_epoch=False)
    runner.register_lr_hook(hook)
    hook.before_run(runner)
    rates = []
    for runner._iter in range(4):
        hook.before_train_iter(runner)
        rates += runner.current_lr()
    assert rates == pytest.approx([0.05 * factor for factor in (1, 0.75**2, 0.5**2, 0.25**2)])


def test_a_new_row():
    def saw(base: float, progress: int, teeth: int = 4) -> float:
        """Rise from 0, `teeth` iterations long."""
        return base * (progress % teeth) / teeth

    hook = policy_hook(LrUpdaterHook, 'Saw', Policy(saw, falls=False))
    assert hook.__name__ == 'SawLrUpdaterHook'
    made = hook(teeth=2, by_epoch=False)
    runner = type('Runner', (), {'iter': 3})
    assert made.get_lr(runner, 0.5) == 0.25


def test_the_function_of_a_row_takes_the_base_value_and_the_progress():
    def rise(base, step):
        return base * step

    with pytest.raises(AssertionError, match='rise has to take `base` and `progress` first'):
        Policy(rise)


def test_a_base_without_a_policy():
    with pytest.raises(NotImplementedError, match='has no policy and does not override get_lr'):
        LrUpdaterHook().get_lr(None, 0.1)
