"""Hooks of the momentum: `policy='cyclic'` in momentum_config names CyclicMomentumUpdaterHook.

Their schedules are those rows of runner/schedules/table.py that have defaults for a momentum.
"""
import logging
from typing import Any

from ...utils.errors import ConfigError
from ..base_runner import BaseRunner
from ..hook import HOOKS
from ..optimizer.momentum import read_momentum, write_momentum
from ..schedules.checks import check_one_cycle
from ..schedules.policies import one_cycle
from .policy_hook import policy_hooks
from .schedule_hook import ScheduleHook, value_alias


class MomentumUpdaterHook(ScheduleHook):
    """Base of the hooks that set the momentum; a schedule of your own overrides `get_momentum`."""

    scheduled = 'momentum'
    quantity = 'momentum'
    lifts = True  # as a learning rate falls, a momentum may rise
    bounded = True  # no momentum of 1 or more has been set so far

    def __init__(self, by_epoch: bool = True, warmup: str | None = None, warmup_iters: int = 0,
                 warmup_ratio: float = 0.9, warmup_by_epoch: bool = False) -> None:
        super().__init__(by_epoch, warmup, warmup_iters, warmup_ratio, warmup_by_epoch)

    def get_momentum(self, runner: BaseRunner, base_momentum: float) -> float:
        """Momentum of a group in this iteration, from its momentum before any schedule."""
        return self.policy_value(runner, base_momentum)

    get_regular_momentum = ScheduleHook.regular_values
    get_warmup_momentum = ScheduleHook.warmup_values
    _set_momentum = ScheduleHook.set_values
    base_momentum = value_alias('base')
    regular_momentum = value_alias('regular')

    def warm(self, value: float, factor: float) -> float:
        # The momentum starts high where the learning rate starts low.
        return value / factor

    def get_value(self, group: dict[str, Any]) -> float:
        return read_momentum(group)

    def set_value(self, group: dict[str, Any], value: float) -> None:
        if value >= 1 and self.bounded:
            message = (f'{type(self).__name__} sets the momentum to {value:g}, and from 1 on old '
                       'gradients never fade: correct momentum_config, whose warmup_ratio has to '
                       "be above the optimizer's momentum")
            if 'momentum' not in group:  # Adam and the like cannot be computed then
                raise ConfigError(message)
            logging.getLogger('mmseg').warning('%s', message)
            self.bounded = False
        write_momentum(group, value)


globals().update(policy_hooks(MomentumUpdaterHook))


@HOOKS.register_module()
class OneCycleMomentumUpdaterHook(MomentumUpdaterHook):
    """From `max_momentum` to `base_momentum` and back, against OneCycleLrUpdaterHook."""

    def __init__(self, base_momentum: float = 0.85, max_momentum: float = 0.95,
                 pct_start: float = 0.3, anneal_strategy: str = 'cos', three_phase: bool = False,
                 by_epoch: bool = False, **kwargs: Any) -> None:
        super().__init__(by_epoch=by_epoch, **kwargs)
        self.require_iterations()
        check_one_cycle(type(self).__name__, pct_start, anneal_strategy)
        self.lowest = base_momentum
        self.highest = max_momentum
        self.pct_start = pct_start
        self.anneal_strategy = anneal_strategy
        self.three_phase = three_phase

    def initial_value(self, group: dict[str, Any], index: int, optimizer: str) -> float:
        read_momentum(group)  # refuses an optimizer that has none
        return self.highest

    def get_momentum(self, runner: BaseRunner, base_momentum: float) -> float:
        points = (base_momentum, self.lowest, base_momentum)
        return one_cycle(runner.iter, self.total(runner), self.pct_start, points,
                         self.anneal_strategy, self.three_phase)
