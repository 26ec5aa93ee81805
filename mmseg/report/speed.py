"""How fast a training was, from the records of its log."""
import math
import statistics
from collections.abc import Mapping, Sequence

from mmcv_replace.runner.hooks.iter_timer import WARMUP_ITERS


def images_per_second(records: Sequence[Mapping[str, float]]) -> float | None:
    """Images by all time: the harmonic mean of `fps` in training records; None without any.

    The first WARMUP_ITERS iterations do not count, as they compile kernels and fill caches; where
    one record covers all iterations, the timer has left them out itself.
    """
    timed = [record for record in records if record.get('fps', math.nan) > 0]
    steady = [record for record in timed if record['iter'] > WARMUP_ITERS] or timed
    return statistics.harmonic_mean([record['fps'] for record in steady]) if steady else None
