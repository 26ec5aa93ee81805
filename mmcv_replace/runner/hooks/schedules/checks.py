"""Checks of the options that learning-rate and momentum hooks have in common."""
from collections.abc import Sequence

from ....utils.errors import ConfigError
from .policies import ANNEALING


def check_one_of(name: str, **options: float | None) -> None:
    """Raise ConfigError unless exactly one of two alternative options is given."""
    given = [key for key, value in options.items() if value is not None]
    if len(given) != 1:
        raise ConfigError(f'{name} needs either {" or ".join(options)}, '
                          f'{"not both" if given else "and got neither"}')


def check_step(name: str, step: int | list[int]) -> None:
    """Raise ConfigError unless `step` is a positive number or a list of such."""
    steps = step if isinstance(step, (list, tuple)) else [step]
    if not steps or not all(isinstance(at, int) and at > 0 for at in steps):
        raise ConfigError(f'{name}: step is a number of epochs (or iterations) above 0 or a list '
                          f'of them, not {step!r}')


def check_cycle(name: str, rising_key: str, rising: float, times: int = 1) -> None:
    """Raise ConfigError unless the rising part is in (0, 1) and there is a cycle."""
    if not 0 < rising < 1:
        raise ConfigError(f'{name}: {rising_key} is a fraction between 0 and 1, not {rising!r}')
    if times < 1:
        raise ConfigError(f'{name}: cyclic_times is at least 1, not {times!r}')


def check_anneal(name: str, strategy: str) -> None:
    """Raise ConfigError for an unknown way from one value to the next."""
    if strategy not in ANNEALING:
        raise ConfigError(f'{name}: anneal_strategy={strategy!r} is unknown: choose '
                          f'{" or ".join(map(repr, ANNEALING))}')


def ratio_pair(name: str, ratio: float | Sequence[float]) -> tuple[float, float]:
    """The pair itself; of a single number, that number and its 100000th part."""
    values = list(ratio) if isinstance(ratio, (list, tuple)) else [ratio]
    if len(values) == 1:
        return values[0], values[0] / 1e5
    if len(values) != 2:
        raise ConfigError(f'{name}: target_ratio is one number or two, not {ratio!r}')
    return values[0], values[1]
