"""What the hooks of learning rate and momentum have in common: the schedule and the warm-up."""
import logging
from typing import Any

from ...utils.errors import ConfigError
from ..base_runner import BaseRunner
from ..hook import Hook
from ..schedules.policies import WARMUPS
from ..schedules.table import Policy

MAX_VALUE = 1e30  # more would overflow in the arithmetic of float32


class ScheduleHook(Hook):
    """Sets one number of every optimizer group before each iteration.

    `by_epoch`: the schedule counts epochs instead of iterations. `warmup`: None, 'constant',
    'linear' or 'exp'; for the first `warmup_iters` iterations (epochs if `warmup_by_epoch`) the
    scheduled value is multiplied by a factor that grows from `warmup_ratio` to 1.

    A minimum never lifts a group above its own base value: a group with a smaller one stays there.

    A subclass has `get_value(group)` and `set_value(group, value)` for an optimizer group, and
    `warm(value, factor)`, the scheduled value with the factor of the warm-up applied.
    """

    quantity = ''  # what is set, in words
    policy: Policy | None = None  # None where a subclass computes the values itself
    falls = False  # whether the schedule is meant to lead down from the base value

    def __init__(self, by_epoch: bool = True, warmup: str | None = None, warmup_iters: int = 0,
                 warmup_ratio: float = 0.1, warmup_by_epoch: bool = False) -> None:
        name = type(self).__name__
        if warmup is not None:
            if warmup not in WARMUPS:
                raise ConfigError(f'{name}: warmup={warmup!r} is unknown: choose '
                                  f'{", ".join(map(repr, WARMUPS))} or None')
            if warmup_iters <= 0:
                raise ConfigError(f'{name}: warmup={warmup!r} needs warmup_iters > 0, '
                                  f'not {warmup_iters}')
            if not 0 < warmup_ratio <= 1:
                raise ConfigError(f'{name}: warmup_ratio is in (0, 1], not {warmup_ratio}')
        self.by_epoch = by_epoch
        self.warmup = warmup
        self.warmup_iters = warmup_iters
        self.warmup_ratio = warmup_ratio
        self.warmup_by_epoch = warmup_by_epoch
        self.base: list[float] = []

    def initial_value(self, group: dict[str, Any], index: int) -> float:
        """Value of an optimizer group before any schedule; kept in the group for a resume."""
        return group.setdefault(f'initial_{self.scheduled}', self.get_value(group))

    def policy_value(self, runner: BaseRunner, base: float) -> float:
        """Value for this iteration by the function of the policy, with the hook's options."""
        policy = self.policy
        if policy is None:
            raise NotImplementedError(f'{type(self).__name__} has no policy and does not override '
                                      f'get_{self.scheduled}')
        options = {option.name: getattr(self, option.name) for option in policy.options}
        if 'total' in policy.parameters:
            options['total'] = self.total(runner)
        if 'minimum' in policy.parameters:
            options['minimum'] = self.floor(base)
        return policy.function(base, self.progress(runner), **options)

    @property
    def minimum_key(self) -> str:
        """Name of the option that sets the minimum."""
        ratio_key = f'min_{self.scheduled}_ratio'
        return f'min_{self.scheduled}' if getattr(self, ratio_key, None) is None else ratio_key

    def minimum(self, base: float) -> float | None:
        """What the settings let the value of a group fall to; None for no limit."""
        value = getattr(self, self.minimum_key, None)
        return base * value if self.minimum_key.endswith('_ratio') else value

    def floor(self, base: float) -> float | None:
        """`minimum`, but never above the value from which the group starts."""
        minimum = self.minimum(base)
        if minimum is None or minimum > MAX_VALUE:  # the latter is an error when it is reached
            return minimum
        return min(minimum, base)

    def before_run(self, runner: BaseRunner) -> None:
        self.base = [self.initial_value(group, index)
                     for index, group in enumerate(runner.optimizer.param_groups)]
        held = [base for base in self.base if self.floor(base) != self.minimum(base)]
        if held:
            logging.getLogger('mmseg').warning(
                '%s leads to %g, which is above the %s that %d of %d optimizer groups start with '
                '(%s): these keep theirs to the end, instead of rising. Set a smaller %s',
                f'{self.scheduled}_config.{self.minimum_key}', self.minimum(min(held)),
                self.quantity, len(held), len(self.base),
                ', '.join(f'{base:g}' for base in sorted({*held})[:5]), self.minimum_key)

    def _warn_of_rise(self, runner: BaseRunner, value: float, base: float) -> None:
        if value > base * (1 + 1e-9):
            logging.getLogger('mmseg').warning(
                '%s raises the %s above the %g that a group starts with (to %g at iteration %d), '
                'as its settings say: see %s_config', type(self).__name__, self.quantity, base,
                value, runner.iter + 1, self.scheduled)
            self.falls = False  # one warning is enough

    def before_train_iter(self, runner: BaseRunner) -> None:
        factor = self._warmup_factor(runner)
        for group, base in zip(runner.optimizer.param_groups, self.base, strict=True):
            value = self._scheduled(runner, base)
            if self.falls:
                self._warn_of_rise(runner, value, base)
            self.set_value(group, value if factor is None else self.warm(value, factor))

    def _scheduled(self, runner: BaseRunner, base: float) -> float:
        """The scheduled value; ConfigError where it is no number that torch can use."""
        try:
            value = getattr(self, f'get_{self.scheduled}')(runner, base)
            if 0 <= value <= MAX_VALUE:
                return value
        except (ArithmeticError, TypeError) as error:  # the latter for complex numbers
            value = f'no number ({error})'
        raise ConfigError(f'{type(self).__name__} gives {value} at iteration {runner.iter}: '
                          f'correct {self.scheduled}_config')

    def _warmup_factor(self, runner: BaseRunner) -> float | None:
        if self.warmup is None:
            return None
        length = self.warmup_iters * (len(runner.data_loader) if self.warmup_by_epoch else 1)
        if runner.iter >= length:
            return None
        return WARMUPS[self.warmup](runner.iter / length, self.warmup_ratio)

    def progress(self, runner: BaseRunner) -> int:
        """Epochs or iterations done."""
        return runner.epoch if self.by_epoch else runner.iter

    def total(self, runner: BaseRunner) -> int:
        """Epochs or iterations of the whole run."""
        total = runner.max_epochs if self.by_epoch else runner.max_iters
        if total is None:
            raise ConfigError(f'{type(self).__name__} with by_epoch={self.by_epoch} cannot tell '
                              'how long the run is: set by_epoch=False for IterBasedRunner')
        return total

    def require_iterations(self) -> None:
        """Raise ConfigError if the hook is set to count epochs."""
        if self.by_epoch:
            raise ConfigError(f'{type(self).__name__} works by iteration: remove by_epoch=True')
