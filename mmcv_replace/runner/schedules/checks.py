"""Checks of the options of schedules; each raises ConfigError that begins with the hook's name."""
from collections.abc import Sequence
from typing import Any

from ...utils.errors import ConfigError
from .policies import ANNEALING, ratio_pair


def check_one_of(name: str, **options: float | None) -> None:
    """Exactly one of two alternative options has to be given."""
    given = [key for key, value in options.items() if value is not None]
    if len(given) != 1:
        raise ConfigError(f'{name} needs either {" or ".join(options)}, '
                          f'{"not both" if given else "and got neither"}')


def check_step(name: str, step: int | list[int], **_: Any) -> None:
    """`step` has to be a positive number or a list of such."""
    steps = step if isinstance(step, (list, tuple)) else [step]
    if not steps or not all(isinstance(at, int) and at > 0 for at in steps):
        raise ConfigError(f'{name}: step is a number of epochs (or iterations) above 0 or a list '
                          f'of them, not {step!r}')


def check_start(name: str, start_percent: float, **_: Any) -> None:
    """The constant part has to leave some of the run for the rest."""
    if not 0 <= start_percent < 1:
        raise ConfigError(f'{name}: start_percent is a fraction of the run in [0, 1), not '
                          f'{start_percent}')


def check_periods(name: str, periods: Sequence[int], restart_weights: Sequence[float],
                  **_: Any) -> None:
    """Each period has to have a weight."""
    if len(periods) != len(restart_weights):
        raise ConfigError(f'{name}: {len(periods)} periods need as many restart_weights, not '
                          f'{len(restart_weights)}')


def check_all_periods(hook: Any, total: int) -> None:
    """The periods have to last to the end of the run."""
    if sum(hook.periods) < total:
        unit = 'epochs' if hook.by_epoch else 'iterations'
        raise ConfigError(f'{type(hook).__name__}: periods={list(hook.periods)} end after '
                          f'{sum(hook.periods)} {unit}, and the run has {total}: add a period')


def check_cycles(name: str, target_ratio: float | Sequence[float], cyclic_times: int,
                 step_ratio_up: float, anneal_strategy: str, **_: Any) -> None:
    """There has to be a cycle, with a way up and a way down, by a known curve."""
    check_curve(name, anneal_strategy)
    check_fraction(name, 'step_ratio_up', step_ratio_up)
    if cyclic_times < 1:
        raise ConfigError(f'{name}: cyclic_times is at least 1, not {cyclic_times!r}')
    if len(ratio_pair(target_ratio)) != 2:
        raise ConfigError(f'{name}: target_ratio is one number or two, not {target_ratio!r}')


def check_one_cycle(name: str, pct_start: float, anneal_strategy: str) -> None:
    """There has to be a way up and a way down, by a known curve."""
    check_fraction(name, 'pct_start', pct_start)
    check_curve(name, anneal_strategy)


def check_curve(name: str, anneal_strategy: str) -> None:
    """The curve between two points has to be known."""
    if anneal_strategy not in ANNEALING:
        raise ConfigError(f'{name}: anneal_strategy={anneal_strategy!r} is unknown: choose '
                          f'{" or ".join(map(repr, ANNEALING))}')


def check_fraction(name: str, key: str, value: float) -> None:
    """A part of a whole that is neither nothing nor all."""
    if not 0 < value < 1:
        raise ConfigError(f'{name}: {key} is a fraction between 0 and 1, not {value!r}')
