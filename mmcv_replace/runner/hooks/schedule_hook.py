"""What the hooks of learning rate and momentum have in common: the schedule and the warm-up."""
import logging
from collections.abc import Callable
from typing import Any

from ...utils.errors import ConfigError
from ..base_runner import BaseRunner
from ..hook import Hook
from ..optimizer.optimizers_of_run import optimizers_of
from ..optimizer.paramwise import MAX_VALUE
from ..schedules.policies import WARMUPS
from ..schedules.table import Policy

Values = list[float] | dict[str, list[float]]


class ScheduleHook(Hook):
    """Sets one number of every optimizer group before each iteration.

    `by_epoch`: the schedule counts epochs instead of iterations. `warmup`: None, 'constant',
    'linear' or 'exp'; for the first `warmup_iters` iterations (epochs if `warmup_by_epoch`) the
    scheduled value is multiplied by a factor that grows from `warmup_ratio` to 1.

    A minimum never lifts a group above its own base value: a group with a smaller one stays there.
    With `lifts` a minimum that is a ratio above 1 asks for that.

    A subclass has `get_value(group)` and `set_value(group, value)` for an optimizer group, and
    `warm(value, factor)`, the scheduled value with the factor of the warm-up applied.

    `base` and `regular` are the values before any schedule and those of the schedule without its
    warm-up: a list with one for each group; with several optimizers a dict of such lists by name.
    """

    quantity = ''  # what is set, in words
    policy: Policy | None = None  # None where a subclass computes the values itself
    lifts = False  # whether a ratio above 1 is a target to rise to
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
        self.warmup_iters = warmup_iters  # iterations, once the run has begun
        self.warmup_epochs = warmup_iters if warmup_by_epoch else None
        self.warmup_ratio = warmup_ratio
        self.warmup_by_epoch = warmup_by_epoch
        self.base: Values = []
        self.regular: Values = []

    def initial_value(self, group: dict[str, Any], index: int, optimizer: str) -> float:
        """Value of an optimizer group before any schedule; kept in the group for a resume.

        `optimizer`: the name of its optimizer, '' for the only one.
        """
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
        asked = self.lifts and self.minimum_key.endswith('_ratio')
        # A huge one is an error when it is reached.
        if minimum is None or asked or minimum > MAX_VALUE:
            return minimum
        return min(minimum, base)

    def before_run(self, runner: BaseRunner) -> None:
        bases = {name: [self.initial_value(group, index, name)
                        for index, group in enumerate(optimizer.param_groups)]
                 for name, optimizer in optimizers_of(runner.optimizer).items()}
        self.base = bases if isinstance(runner.optimizer, dict) else bases['']
        if self.policy is not None and self.policy.check_length is not None:
            self.policy.check_length(self, self.total(runner))
        every = [base for values in bases.values() for base in values]
        held = [base for base in every if self.floor(base) != self.minimum(base)]
        if held:
            logging.getLogger('mmseg').warning(
                '%s leads to %g, which is above the %s that %d of %d optimizer groups start with '
                '(%s): these keep theirs to the end, instead of rising. Set a smaller %s',
                f'{self.scheduled}_config.{self.minimum_key}', self.minimum(min(held)),
                self.quantity, len(held), len(every),
                ', '.join(f'{base:g}' for base in sorted({*held})[:5]), self.minimum_key)

    def _warn_of_rise(self, runner: BaseRunner, value: float, base: float) -> None:
        if value > base * (1 + 1e-9):
            logging.getLogger('mmseg').warning(
                '%s raises the %s above the %g that a group starts with (to %g at iteration %d), '
                'as its settings say: see %s_config', type(self).__name__, self.quantity, base,
                value, runner.iter + 1, self.scheduled)
            self.falls = False  # one warning is enough

    def before_train_iter(self, runner: BaseRunner) -> None:
        if self.warmup_epochs is not None:
            self.warmup_iters = self.warmup_epochs * len(runner.data_loader)
        values = self.regular = self._method('get_regular_')(runner)
        if self.warmup is not None and runner.iter < self.warmup_iters:
            values = self._method('get_warmup_')(runner.iter)
        self._method('_set_')(runner, values)

    def _method(self, beginning: str) -> Callable[..., Any]:
        """The method with the name that it has in mmcv, such as get_regular_lr."""
        return getattr(self, f'{beginning}{self.scheduled}')

    def regular_values(self, runner: BaseRunner) -> Values:
        """The values of the schedule in this iteration, without the warm-up."""
        return _each(self.base, lambda base: self._scheduled(runner, base))

    def warmup_values(self, cur_iters: int) -> Values:
        """The regular values with the warm-up of iteration `cur_iters` applied."""
        factor = WARMUPS[self.warmup](cur_iters / self.warmup_iters, self.warmup_ratio)
        return _each(self.regular, lambda value: self.warm(value, factor))

    def set_values(self, runner: BaseRunner, values: Values) -> None:
        """Give each optimizer group its value."""
        by_name = values if isinstance(values, dict) else {'': values}
        for name, optimizer in optimizers_of(runner.optimizer).items():
            for group, value in zip(optimizer.param_groups, by_name[name], strict=True):
                self.set_value(group, value)

    def _scheduled(self, runner: BaseRunner, base: float) -> float:
        """The scheduled value; ConfigError where it is no number that torch can use."""
        try:
            value = self._method('get_')(runner, base)
            if 0 <= value <= MAX_VALUE:
                if self.falls:
                    self._warn_of_rise(runner, value, base)
                return value
        except (ArithmeticError, TypeError) as error:  # the latter for complex numbers
            value = f'no number ({error})'
        raise ConfigError(f'{type(self).__name__} gives {value} at iteration {runner.iter}: '
                          f'correct {self.scheduled}_config')

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


def value_alias(name: str) -> property:
    """The values `base` or `regular` under the name that they have in mmcv."""
    def read(hook: ScheduleHook) -> Values:
        return getattr(hook, name)

    def write(hook: ScheduleHook, values: Values) -> None:
        setattr(hook, name, values)

    return property(read, write, doc=f'`{name}`: see ScheduleHook.')


def _each(values: Values, change: Callable[[float], float]) -> Values:
    """`change` of every value."""
    if isinstance(values, dict):
        return {name: [change(value) for value in part] for name, part in values.items()}
    return [change(value) for value in values]
