"""Hooks of the learning rate: `policy='poly'` in lr_config names PolyLrUpdaterHook.

Their schedules are the rows of runner/schedules/table.py.
"""
from collections.abc import Sequence
from typing import Any

from ...utils.errors import ConfigError
from ..base_runner import BaseRunner
from ..hook import HOOKS
from ..schedules.checks import check_one_cycle
from ..schedules.policies import one_cycle
from .policy_hook import policy_hooks
from .schedule_hook import ScheduleHook


class LrUpdaterHook(ScheduleHook):
    """Base of the hooks that set the learning rate; a schedule of your own overrides `get_lr`."""

    scheduled = 'lr'
    quantity = 'learning rate'

    def get_lr(self, runner: BaseRunner, base_lr: float) -> float:
        """Learning rate of a group in this iteration, from its rate before any schedule."""
        return self.policy_value(runner, base_lr)

    @property
    def base_lr(self) -> list[float]:
        """Learning rate of each optimizer group before any schedule."""
        return self.base

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

    `max_lr` may be a list with one rate for each optimizer group; the optimizer's own lr is not
    used. `total_steps` is the length of the run by default.
    """

    def __init__(self, max_lr: float | Sequence[float], total_steps: int | None = None,
                 pct_start: float = 0.3, anneal_strategy: str = 'cos', div_factor: float = 25,
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

    def initial_value(self, group: dict[str, Any], index: int) -> float:
        peak = self.max_lr[index] if isinstance(self.max_lr, (list, tuple)) else self.max_lr
        return peak / self.div_factor

    def before_run(self, runner: BaseRunner) -> None:
        groups = len(runner.optimizer.param_groups)
        if isinstance(self.max_lr, (list, tuple)) and len(self.max_lr) != groups:
            raise ConfigError(f'{type(self).__name__}: max_lr has {len(self.max_lr)} values for '
                              f'{groups} optimizer groups')
        if self.total_steps is not None and self.total_steps < self.total(runner):
            raise ConfigError(f'{type(self).__name__}: total_steps={self.total_steps} ends before '
                              f'the run of {self.total(runner)} iterations')
        super().before_run(runner)

    def get_lr(self, runner: BaseRunner, base_lr: float) -> float:
        points = (base_lr, base_lr * self.div_factor, base_lr / self.final_div_factor)
        return one_cycle(runner.iter, self.total_steps or self.total(runner), self.pct_start,
                         points, self.anneal_strategy, self.three_phase)
