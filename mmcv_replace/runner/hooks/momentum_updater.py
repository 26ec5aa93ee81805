"""Momentum policies: `policy='cyclic'` in momentum_config names CyclicMomentumUpdaterHook."""
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...utils.errors import ConfigError
from .hook import HOOKS
from .schedules import policies as schedules
from .schedules.checks import check_anneal, check_cycle, check_one_of, check_step, ratio_pair
from .schedules.schedule_hook import ScheduleHook

if TYPE_CHECKING:
    from ..base_runner import BaseRunner


def read_momentum(group: dict[str, Any]) -> float:
    """Momentum of an optimizer group; the first beta of Adam and its kin."""
    if 'momentum' in group:
        return group['momentum']
    if 'betas' in group:
        return group['betas'][0]
    raise ConfigError("momentum_config needs an optimizer with 'momentum' or 'betas'; this one has "
                      f'{", ".join(key for key in group if key != "params")}')


class MomentumUpdaterHook(ScheduleHook):
    """Base of the policies: `get_momentum` tells a group's momentum from its initial one."""

    quantity = 'momentum'
    config_key = 'momentum_config'
    minimum_key = 'min_momentum'
    bounded = True  # no momentum of 1 or more was met so far

    def __init__(self, warmup_ratio: float = 0.9, **kwargs: Any) -> None:
        super().__init__(warmup_ratio=warmup_ratio, **kwargs)

    def get_momentum(self, runner: 'BaseRunner', base_momentum: float) -> float:
        raise NotImplementedError

    @property
    def base_momentum(self) -> list[float]:
        """Momentum of each optimizer group before any schedule."""
        return self.base

    def initial_value(self, group: dict[str, Any], index: int) -> float:
        return group.setdefault('initial_momentum', read_momentum(group))

    def scheduled_value(self, runner: 'BaseRunner', base: float) -> float:
        return self.get_momentum(runner, base)

    def warm(self, value: float, factor: float) -> float:
        # The momentum starts high where the learning rate starts low.
        return value / factor

    def set_value(self, group: dict[str, Any], value: float) -> None:
        if value >= 1 and self.bounded:
            self._tell_unbounded(value, 'momentum' in group)
        if 'momentum' in group:
            group['momentum'] = value
        else:
            group['betas'] = (value, *group['betas'][1:])

    def _tell_unbounded(self, value: float, possible: bool) -> None:
        """With 1 and more old gradients never fade; Adam and its kin cannot be computed then."""
        message = (f'{type(self).__name__} sets the momentum to {value:g}, and from 1 on old '
                   'gradients never fade: correct momentum_config, whose warmup_ratio has to be '
                   "above the optimizer's momentum")
        if not possible:
            raise ConfigError(message)
        logging.getLogger('mmseg').warning('%s', message)
        self.bounded = False


@HOOKS.register_module()
class StepMomentumUpdaterHook(MomentumUpdaterHook):
    """Times `gamma` every `step` epochs (iterations), or at each of a list of them."""

    falls = True

    def __init__(self, step: int | list[int], gamma: float = 0.5,
                 min_momentum: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_step(type(self).__name__, step)
        self.step = step
        self.gamma = gamma
        self.min_momentum = min_momentum

    def minimum(self, base: float) -> float | None:
        return self.min_momentum

    def get_momentum(self, runner: 'BaseRunner', base_momentum: float) -> float:
        return schedules.step(base_momentum, self.progress(runner), self.step, self.gamma,
                              self.floor(base_momentum))


@HOOKS.register_module()
class CosineAnnealingMomentumUpdaterHook(MomentumUpdaterHook):
    """Half a cosine wave over the run, to `min_momentum` or `min_momentum_ratio` times the base."""

    falls = True

    def __init__(self, min_momentum: float | None = None,
                 min_momentum_ratio: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_one_of(type(self).__name__, min_momentum=min_momentum,
                     min_momentum_ratio=min_momentum_ratio)
        self.min_momentum = min_momentum
        self.min_momentum_ratio = min_momentum_ratio

    @property
    def minimum_key(self) -> str:
        return 'min_momentum' if self.min_momentum_ratio is None else 'min_momentum_ratio'

    def minimum(self, base: float) -> float | None:
        ratio = self.min_momentum_ratio
        return self.min_momentum if ratio is None else base * ratio

    def get_momentum(self, runner: 'BaseRunner', base_momentum: float) -> float:
        return schedules.cosine(base_momentum, self.progress(runner), self.total(runner),
                                self.floor(base_momentum))


@HOOKS.register_module()
class CyclicMomentumUpdaterHook(MomentumUpdaterHook):
    """To `target_ratio[0]` times the base momentum and to `target_ratio[1]` times, repeatedly."""

    def __init__(self, by_epoch: bool = False,
                 target_ratio: float | Sequence[float] = (0.85 / 0.95, 1), cyclic_times: int = 1,
                 step_ratio_up: float = 0.4, **kwargs: Any) -> None:
        super().__init__(by_epoch=by_epoch, **kwargs)
        self.require_iterations()
        check_cycle(type(self).__name__, 'step_ratio_up', step_ratio_up, cyclic_times)
        self.target_ratio = ratio_pair(type(self).__name__, target_ratio)
        self.cyclic_times = cyclic_times
        self.step_ratio_up = step_ratio_up

    def get_momentum(self, runner: 'BaseRunner', base_momentum: float) -> float:
        middle, end = self.target_ratio
        points = (base_momentum, base_momentum * middle, base_momentum * end)
        return schedules.cyclic(runner.iter, self.total(runner), self.cyclic_times,
                                self.step_ratio_up, points)


@HOOKS.register_module()
class OneCycleMomentumUpdaterHook(MomentumUpdaterHook):
    """From `max_momentum` to `base_momentum` and back, against OneCycleLrUpdaterHook."""

    def __init__(self, base_momentum: float = 0.85, max_momentum: float = 0.95,
                 pct_start: float = 0.3, anneal_strategy: str = 'cos', three_phase: bool = False,
                 by_epoch: bool = False, **kwargs: Any) -> None:
        super().__init__(by_epoch=by_epoch, **kwargs)
        self.require_iterations()
        check_cycle(type(self).__name__, 'pct_start', pct_start)
        check_anneal(type(self).__name__, anneal_strategy)
        self.lowest = base_momentum
        self.highest = max_momentum
        self.pct_start = pct_start
        self.anneal_strategy = anneal_strategy
        self.three_phase = three_phase

    def initial_value(self, group: dict[str, Any], index: int) -> float:
        read_momentum(group)  # refuses an optimizer that has none
        return self.highest

    def get_momentum(self, runner: 'BaseRunner', base_momentum: float) -> float:
        points = (base_momentum, self.lowest, base_momentum)
        return schedules.one_cycle(runner.iter, self.total(runner), self.pct_start, points,
                                   self.anneal_strategy, self.three_phase)
