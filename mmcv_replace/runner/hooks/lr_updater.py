"""Learning-rate policies: `policy='poly'` in lr_config names PolyLrUpdaterHook."""
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...utils.errors import ConfigError
from .hook import HOOKS
from .schedules import policies as schedules
from .schedules.checks import check_anneal, check_cycle, check_one_of, check_step, ratio_pair
from .schedules.schedule_hook import ScheduleHook

if TYPE_CHECKING:
    from ..base_runner import BaseRunner


class LrUpdaterHook(ScheduleHook):
    """Base of the policies: `get_lr` tells a group's rate from its rate before any schedule."""

    quantity = 'learning rate'
    config_key = 'lr_config'
    minimum_key = 'min_lr'

    def get_lr(self, runner: 'BaseRunner', base_lr: float) -> float:
        raise NotImplementedError

    @property
    def base_lr(self) -> list[float]:
        """Rate of each optimizer group before any schedule."""
        return self.base

    def initial_value(self, group: dict[str, Any], index: int) -> float:
        return group.setdefault('initial_lr', group['lr'])

    def scheduled_value(self, runner: 'BaseRunner', base: float) -> float:
        return self.get_lr(runner, base)

    def warm(self, value: float, factor: float) -> float:
        return value * factor

    def set_value(self, group: dict[str, Any], value: float) -> None:
        group['lr'] = value


@HOOKS.register_module()
class FixedLrUpdaterHook(LrUpdaterHook):
    """Constant."""

    def get_lr(self, runner: 'BaseRunner', base_lr: float) -> float:
        return base_lr


@HOOKS.register_module()
class StepLrUpdaterHook(LrUpdaterHook):
    """Times `gamma` every `step` epochs (iterations), or at each of a list of them."""

    falls = True

    def __init__(self, step: int | list[int], gamma: float = 0.1, min_lr: float | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_step(type(self).__name__, step)
        self.step = step
        self.gamma = gamma
        self.min_lr = min_lr

    def minimum(self, base: float) -> float | None:
        return self.min_lr

    def get_lr(self, runner: 'BaseRunner', base_lr: float) -> float:
        return schedules.step(base_lr, self.progress(runner), self.step, self.gamma,
                              self.floor(base_lr))


@HOOKS.register_module()
class ExpLrUpdaterHook(LrUpdaterHook):
    """Times `gamma` each epoch (iteration)."""

    falls = True

    def __init__(self, gamma: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gamma = gamma

    def get_lr(self, runner: 'BaseRunner', base_lr: float) -> float:
        return schedules.exponential(base_lr, self.progress(runner), self.gamma)


@HOOKS.register_module()
class PolyLrUpdaterHook(LrUpdaterHook):
    """(1 - progress)^power, down to `min_lr`."""

    falls = True

    def __init__(self, power: float = 1.0, min_lr: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.power = power
        self.min_lr = min_lr

    def minimum(self, base: float) -> float | None:
        return self.min_lr

    def get_lr(self, runner: 'BaseRunner', base_lr: float) -> float:
        return schedules.poly(base_lr, self.progress(runner), self.total(runner), self.power,
                              self.floor(base_lr))


@HOOKS.register_module()
class InvLrUpdaterHook(LrUpdaterHook):
    """1 / (1 + gamma * progress)^power."""

    falls = True

    def __init__(self, gamma: float, power: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gamma = gamma
        self.power = power

    def get_lr(self, runner: 'BaseRunner', base_lr: float) -> float:
        return schedules.inverse(base_lr, self.progress(runner), self.gamma, self.power)


class _ToMinimum(LrUpdaterHook):
    """A policy that ends at `min_lr`, or at `min_lr_ratio` times the base rate."""

    falls = True

    def __init__(self, min_lr: float | None = None, min_lr_ratio: float | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_one_of(type(self).__name__, min_lr=min_lr, min_lr_ratio=min_lr_ratio)
        self.min_lr = min_lr
        self.min_lr_ratio = min_lr_ratio

    @property
    def minimum_key(self) -> str:
        return 'min_lr' if self.min_lr_ratio is None else 'min_lr_ratio'

    def minimum(self, base: float) -> float | None:
        return self.min_lr if self.min_lr_ratio is None else base * self.min_lr_ratio


@HOOKS.register_module()
class CosineAnnealingLrUpdaterHook(_ToMinimum):
    """Half a cosine wave over the whole run."""

    def get_lr(self, runner: 'BaseRunner', base_lr: float) -> float:
        return schedules.cosine(base_lr, self.progress(runner), self.total(runner),
                                self.floor(base_lr))


@HOOKS.register_module()
class FlatCosineAnnealingLrUpdaterHook(_ToMinimum):
    """Constant for `start_percent` (a fraction) of the run, then half a cosine wave."""

    def __init__(self, start_percent: float = 0.75, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= start_percent < 1:
            raise ConfigError(f'{type(self).__name__}: start_percent is a fraction of the run in '
                              f'[0, 1), not {start_percent}')
        self.start_percent = start_percent

    def get_lr(self, runner: 'BaseRunner', base_lr: float) -> float:
        return schedules.flat_cosine(base_lr, self.progress(runner), self.total(runner),
                                     self.floor(base_lr), self.start_percent)


@HOOKS.register_module()
class CosineRestartLrUpdaterHook(_ToMinimum):
    """Half a cosine wave for each of `periods`, each with its weight."""

    def __init__(self, periods: Sequence[int], restart_weights: Sequence[float] = (1,),
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if len(periods) != len(restart_weights):
            raise ConfigError(f'{type(self).__name__}: {len(periods)} periods need as many '
                              f'restart_weights, not {len(restart_weights)}')
        self.periods = periods
        self.restart_weights = restart_weights

    def get_lr(self, runner: 'BaseRunner', base_lr: float) -> float:
        return schedules.cosine_restart(base_lr, self.progress(runner), self.periods,
                                        self.restart_weights, self.floor(base_lr))


@HOOKS.register_module()
class CyclicLrUpdaterHook(LrUpdaterHook):
    """Up to `target_ratio[0]` times the base rate, down to `target_ratio[1]` times, and again."""

    def __init__(self, by_epoch: bool = False,
                 target_ratio: float | Sequence[float] = (10, 1e-4), cyclic_times: int = 1,
                 step_ratio_up: float = 0.4, **kwargs: Any) -> None:
        super().__init__(by_epoch=by_epoch, **kwargs)
        self.require_iterations()
        check_cycle(type(self).__name__, 'step_ratio_up', step_ratio_up, cyclic_times)
        self.target_ratio = ratio_pair(type(self).__name__, target_ratio)
        self.cyclic_times = cyclic_times
        self.step_ratio_up = step_ratio_up

    def get_lr(self, runner: 'BaseRunner', base_lr: float) -> float:
        peak, end = self.target_ratio
        return schedules.cyclic(runner.iter, self.total(runner), self.cyclic_times,
                                self.step_ratio_up, (base_lr, base_lr * peak, base_lr * end))


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
        check_cycle(type(self).__name__, 'pct_start', pct_start)
        check_anneal(type(self).__name__, anneal_strategy)
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

    def before_run(self, runner: 'BaseRunner') -> None:
        groups = len(runner.optimizer.param_groups)
        if isinstance(self.max_lr, (list, tuple)) and len(self.max_lr) != groups:
            raise ConfigError(f'{type(self).__name__}: max_lr has {len(self.max_lr)} values for '
                              f'{groups} optimizer groups')
        if self.total_steps is not None and self.total_steps < self.total(runner):
            raise ConfigError(f'{type(self).__name__}: total_steps={self.total_steps} ends before '
                              f'the run of {self.total(runner)} iterations')
        super().before_run(runner)

    def get_lr(self, runner: 'BaseRunner', base_lr: float) -> float:
        points = (base_lr, base_lr * self.div_factor, base_lr / self.final_div_factor)
        return schedules.one_cycle(runner.iter, self.total_steps or self.total(runner),
                                   self.pct_start, points, self.anneal_strategy, self.three_phase)
