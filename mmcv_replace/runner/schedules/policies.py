"""Schedules of the learning rate and the momentum: pure functions, one for each policy.

Each is called with `base`, the value of an optimizer's group before any schedule; `progress`, the
number of iterations (or epochs) done; `total`, that of the whole run, where it takes it; and with
its options, which are the other parameters. An option `minimum` is min_lr or min_momentum in a
config; where it has no default, min_lr_ratio or min_momentum_ratio may be given instead, a share of
`base`. table.py turns a function into hooks.
"""
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from ...utils.errors import ConfigError


def annealing_cos(start: float, end: float, factor: float, weight: float = 1) -> float:
    """The value after the share `factor` (0 to 1) of half a cosine wave from `start` to `end`.

    `weight` scales the amplitude: the wave then begins at end + weight * (start - end).
    """
    return end + 0.5 * weight * (start - end) * (math.cos(math.pi * factor) + 1)


def annealing_linear(start: float, end: float, factor: float) -> float:
    """The value after the share `factor` (0 to 1) of a straight line from `start` to `end`."""
    return start + (end - start) * factor


ANNEALING: dict[str, Callable[..., float]] = {'cos': annealing_cos, 'linear': annealing_linear}


def get_position_from_periods(iteration: int, cumulative_periods: Sequence[int]) -> int:
    """Index of the period with an iteration, from the ends of all; ConfigError after the last."""
    if iteration >= cumulative_periods[-1]:
        raise ConfigError(f'iteration {iteration} is in none of the periods, which end at '
                          f'{", ".join(map(str, cumulative_periods))}')
    return bisect_right(cumulative_periods, iteration)


def fixed(base: float, progress: int) -> float:
    """Constant."""
    return base


def step(base: float, progress: int, step: int | list[int], gamma: float = 0.1,
         minimum: float | None = None) -> float:
    """Multiply by `gamma` every `step` epochs (iterations), or at each of a list of them."""
    drops = progress // step if isinstance(step, int) else sum(progress >= at for at in step)
    value = base * gamma**drops
    return value if minimum is None else max(value, minimum)


def exponential(base: float, progress: int, gamma: float) -> float:
    """Multiply by `gamma` after each epoch (iteration)."""
    return base * gamma**progress


def poly(base: float, progress: int, total: int, power: float = 1.0, minimum: float = 0.0) -> float:
    """Fall to the minimum in proportion to (1 - progress / total)^power."""
    remaining = max(0.0, 1 - progress / total)
    return (base - minimum) * remaining**power + minimum


def inverse(base: float, progress: int, gamma: float, power: float = 1.0) -> float:
    """base / (1 + gamma * progress)^power."""
    return base * (1 + gamma * progress)**-power


def cosine(base: float, progress: int, total: int, minimum: float) -> float:
    """Half a cosine wave to the minimum over the whole run (SGDR, arXiv:1608.03983)."""
    return annealing_cos(base, minimum, min(progress / total, 1))


def linear(base: float, progress: int, total: int, minimum: float) -> float:
    """A straight line to the minimum over the whole run."""
    return annealing_linear(base, minimum, min(progress / total, 1))


def flat_cosine(base: float, progress: int, total: int, start_percent: float = 0.75, *,
                minimum: float) -> float:
    """Constant for the fraction `start_percent` of the run, then half a cosine wave."""
    first = round(total * start_percent)
    if progress < first:
        return base
    return annealing_cos(base, minimum, min((progress - first) / (total - first), 1))


def cosine_restart(base: float, progress: int, periods: Sequence[int],
                   restart_weights: Sequence[float] = [1],  # noqa: B006
                   *, minimum: float) -> float:
    """Half a cosine wave for each of `periods`, its amplitude times the period's weight."""
    ends = list(accumulate(periods))
    index = get_position_from_periods(min(progress, ends[-1] - 1), ends)
    start = ends[index] - periods[index]
    fraction = min((progress - start) / periods[index], 1)
    return annealing_cos(base, minimum, fraction, restart_weights[index])


def cyclic(base: float, progress: int, total: int,
           target_ratio: float | Sequence[float] = (10, 1e-4), cyclic_times: int = 1,
           step_ratio_up: float = 0.4, anneal_strategy: str = 'cos', gamma: float = 1) -> float:
    """`cyclic_times` cycles of two half cosine waves: to a peak, and from there to an end.

    `target_ratio`: (peak, end) as multiples of the base value, or the peak's alone. The way to the
    peak takes the fraction `step_ratio_up` of a cycle. `anneal_strategy`: 'cos' or 'linear', for
    straight lines. The distance of the peak from the base value is multiplied by `gamma` after
    each cycle.
    """
    peak, end = ratio_pair(target_ratio)
    period = max(1, total // cyclic_times)
    top = int(step_ratio_up * period)
    cycle, position = divmod(progress, period)
    highest = base * (1 + gamma**cycle * (peak - 1))
    anneal = ANNEALING[anneal_strategy]
    if position < top:
        return anneal(base, highest, position / top)
    return anneal(highest, base * end, (position - top) / (period - top))


def ratio_pair(ratio: float | Sequence[float]) -> tuple[float, ...]:
    """The multiples (peak, end) of `cyclic`; the end of a single number is its 100000th part."""
    values = tuple(ratio) if isinstance(ratio, (list, tuple)) else (ratio,)
    return (values[0], values[0] / 1e5) if len(values) == 1 else values


def one_cycle(progress: int, total: int, rising: float, points: tuple[float, float, float],
              anneal: str = 'cos', three_phase: bool = False) -> float:
    """From the first of three `points` (start, peak, end) to the last (arXiv:1708.07120).

    The way to the peak takes the fraction `rising` of the run. With `three_phase` the way back to
    the start is as long, and a third leg leads from the start to the end. `anneal`: 'cos' or
    'linear', the curve between two points.
    """
    start, peak, end = points
    top = rising * total - 1
    if three_phase:
        legs = [(top, start, peak), (2 * rising * total - 2, peak, start), (total - 1, start, end)]
    else:
        legs = [(top, start, peak), (total - 1, peak, end)]
    begin = 0.0
    for finish, first, last in legs:
        if progress <= finish and finish > begin:
            return ANNEALING[anneal](first, last, (progress - begin) / (finish - begin))
        begin = finish
    return end


# Factor of the scheduled value in the warm-up: from `ratio` to 1 while `fraction` goes from 0 to 1.
WARMUPS: dict[str, Callable[[float, float], float]] = {
    'constant': lambda fraction, ratio: ratio,
    'linear': lambda fraction, ratio: 1 - (1 - fraction) * (1 - ratio),
    'exp': lambda fraction, ratio: ratio**(1 - fraction),
}
