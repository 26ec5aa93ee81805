"""Hooks of the learning rate: `policy='poly'` in lr_config names PolyLrUpdaterHook.

Their schedules are the rows of runner/schedules/table.py.
"""
from collections.abc import Sequence
from typing import Any

from ...utils.errors import ConfigError
from ..base_runner import BaseRunner
from ..hook import HOOKS
from ..optimizer.optimizers_of_run import optimizers_of
from ..schedules.checks import check_one_cycle
from ..schedules.policies import (  # noqa: F401, some for schedules of users
    annealing_cos,
    annealing_linear,
    get_position_from_periods,
    one_cycle,
)
from .policy_hook import policy_hooks
from .schedule_hook import ScheduleHook, value_alias


class LrUpdaterHook(ScheduleHook):
    """Base of the hooks that set the learning rate; a schedule of your own overrides `get_lr`."""

    scheduled = 'lr'
    quantity = 'learning rate'

    def get_lr(self, runner: BaseRunner, base_lr: float) -> float:
        """Learning rate of a group in this iteration, from its rate before any schedule."""
        return self.policy_value(runner, base_lr)

    get_regular_lr = ScheduleHook.regular_values
    get_warmup_lr = ScheduleHook.warmup_values
    _set_lr = ScheduleHook.set_values
    base_lr = value_alias('base')
    regular_lr = value_alias('regular')

    def warm(self, value: float, factor: float) -> float:
        return value * factor

    def get_value(self, group: dict[str, Any]) -> float:
        return group['lr']

    def set_value(self, group: dict[str, Any], value: float) -> None:
        group['lr'] = value


globals().update(policy_hooks(LrUpdaterHook))


@HOOKS.register_module()
class OneCycleLrUpdaterHook(LrUpdaterHook):
    """From max_lr / div_factor up to `max_lr` and down by div_factor * final_div_factor.

    `max_lr` may be a list with one rate for each optimizer group, and with several optimizers a
    dict of such values by their names; the optimizer's own lr is not used. `total_steps` is the
    length of the run by default.
    """

    def __init__(self, max_lr: float | Sequence[float] | dict[str, Any],
                 total_steps: int | None = None, pct_start: float = 0.3,
                 anneal_strategy: str = 'cos', div_factor: float = 25,
                 final_div_factor: float = 1e4, three_phase: bool = False,
                 by_epoch: bool = False, **kwargs: Any) -> None:
        super().__init__(by_epoch=by_epoch, **kwargs)
        self.require_iterations()
        check_one_cycle(type(self).__name__, pct_start, anneal_strategy)
        self.max_lr = max_lr
        self.total_steps = total_steps
        self.pct_start = pct_start
        self.anneal_strategy = anneal_strategy
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor
        self.three_phase = three_phase

    def initial_value(self, group: dict[str, Any], index: int, optimizer: str) -> float:
        peak = self.max_lr
        if isinstance(peak, dict) and optimizer:
            peak = peak[optimizer]
        return (peak[index] if isinstance(peak, (list, tuple)) else peak) / self.div_factor

    def before_run(self, runner: BaseRunner) -> None:
        name = type(self).__name__
        if isinstance(self.max_lr, dict) and set(self.max_lr) != set(runner.optimizer):
            raise ConfigError(f'{name}: max_lr is for the optimizers {", ".join(self.max_lr)}, and '
                              f'the runner has {", ".join(runner.optimizer)}')
        for key, optimizer in optimizers_of(runner.optimizer).items():
            peak = self.max_lr[key] if isinstance(self.max_lr, dict) else self.max_lr
            groups = len(optimizer.param_groups)
            if isinstance(peak, (list, tuple)) and len(peak) != groups:
                raise ConfigError(f'{name}: max_lr has {len(peak)} values for {groups} optimizer '
                                  'groups')
        if self.total_steps is not None and self.total_steps < self.total(runner):
            raise ConfigError(f'{name}: total_steps={self.total_steps} ends before '
                              f'the run of {self.total(runner)} iterations')
        super().before_run(runner)

    def get_lr(self, runner: BaseRunner, base_lr: float) -> float:
        points = (base_lr, base_lr * self.div_factor, base_lr / self.final_div_factor)
        return one_cycle(runner.iter, self.total_steps or self.total(runner), self.pct_start,
                         points, self.anneal_strategy, self.three_phase)
