"""Schedules of the learning rate and the momentum: pure functions of the progress.

`progress` counts the iterations (or epochs) that are done and `total` those of the whole run;
`base` is the value of an optimizer's group before any schedule.
"""
import math
from collections.abc import Callable, Sequence
from itertools import accumulate


def cosine_between(start: float, end: float, fraction: float, weight: float = 1.0) -> float:
    """From `start` (times `weight`) to `end` along half a cosine wave."""
    return end + 0.5 * weight * (start - end) * (math.cos(math.pi * fraction) + 1)


def linear_between(start: float, end: float, fraction: float) -> float:
    """From `start` to `end` along a straight line."""
    return start + (end - start) * fraction


ANNEALING: dict[str, Callable[..., float]] = {'cos': cosine_between, 'linear': linear_between}


def step(base: float, progress: int, steps: int | Sequence[int], gamma: float,
         minimum: float | None = None) -> float:
    """Multiply by `gamma` every `steps` (an int), or at each of `steps` (a list)."""
    if isinstance(steps, int):
        drops = progress // steps
    else:
        drops = sum(progress >= at for at in steps)
    value = base * gamma**drops
    return value if minimum is None else max(value, minimum)


def exponential(base: float, progress: int, gamma: float) -> float:
    """Multiply by `gamma` each time."""
    return base * gamma**progress


def poly(base: float, progress: int, total: int, power: float = 1.0,
         minimum: float = 0.0) -> float:
    """Fall to `minimum` like (1 - progress / total)^power."""
    remaining = max(0.0, 1 - progress / total)
    return (base - minimum) * remaining**power + minimum


def inverse(base: float, progress: int, gamma: float, power: float = 1.0) -> float:
    """base / (1 + gamma * progress)^power."""
    return base * (1 + gamma * progress)**-power


def cosine(base: float, progress: int, total: int, minimum: float) -> float:
    """Half a cosine wave from `base` to `minimum` (SGDR without restarts, arXiv:1608.03983)."""
    return cosine_between(base, minimum, min(progress / total, 1))


def flat_cosine(base: float, progress: int, total: int, minimum: float, start: float) -> float:
    """Constant for the fraction `start` of the run, then half a cosine wave to `minimum`."""
    first = round(total * start)
    if progress < first:
        return base
    return cosine_between(base, minimum, min((progress - first) / (total - first), 1))


def cosine_restart(base: float, progress: int, periods: Sequence[int], weights: Sequence[float],
                   minimum: float) -> float:
    """Half a cosine wave for each period, its amplitude times the period's weight."""
    ends = list(accumulate(periods))
    index = next((i for i, end in enumerate(ends) if progress < end), len(ends) - 1)
    start = ends[index] - periods[index]
    fraction = min((progress - start) / periods[index], 1)
    return cosine_between(base, minimum, fraction, weights[index])


def cyclic(progress: int, total: int, times: int, rising: float,
           points: tuple[float, float, float]) -> float:
    """`times` cycles through three points, the first leg taking the fraction `rising` of a cycle.

    The two legs are half cosine waves.
    """
    period = max(1, total // times)
    top = int(rising * period)
    position = progress % period
    start, peak, end = points
    if position < top:
        return cosine_between(start, peak, position / top)
    return cosine_between(peak, end, (position - top) / (period - top))


def one_cycle(progress: int, total: int, rising: float, points: tuple[float, float, float],
              anneal: str = 'cos', three_phase: bool = False) -> float:
    """Start, peak, end: the first leg takes the fraction `rising` of the run (arXiv:1708.07120).

    With `three_phase` the way back from the peak to the start is as long as the way up, and a third
    leg leads from the start to the end.
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
        begin = max(finish, 0.0)
    return end


def warmup_factor(kind: str, progress: int, length: int, ratio: float) -> float:
    """What a value is multiplied by in the warm-up: from `ratio` to 1 within `length`."""
    if kind == 'constant':
        return ratio
    if kind == 'linear':
        return 1 - (1 - progress / length) * (1 - ratio)
    return ratio**(1 - progress / length)


WARMUPS = ('constant', 'linear', 'exp')
