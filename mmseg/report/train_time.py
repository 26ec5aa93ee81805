"""How long the iterations of a log took, as `tools/analyze_logs.py cal_train_time` tells it."""
import math
import statistics
from pathlib import Path

from mmcv_replace.utils.errors import DataError

from .log_file import read_log
from .runs import find_run


def format_train_time(log: str, include_outliers: bool = False) -> str:
    """Mean time of an iteration, the slowest and fastest epoch, and how epochs differ.

    `log`: a TIMESTAMP.log.json, or a work directory, whose newest run counts.
    The first record of each epoch, which warms up, counts only with `include_outliers`. Raises
    DataError for a log without times.
    """
    epochs: dict[int, list[float]] = {}
    for record in find_run(log).train if Path(log).is_dir() else read_log(log).of_mode('train'):
        if math.isfinite(record.get('time', math.nan)):
            epochs.setdefault(record['epoch'], []).append(record['time'])
    if not epochs:
        raise DataError(f'{log} has no time of an iteration: IterTimerHook writes it, every '
                        'log_config.interval iterations')
    if not include_outliers:
        epochs = {epoch: times[1:] for epoch, times in epochs.items()}
    means = {epoch: statistics.fmean(times) for epoch, times in epochs.items() if times}
    if not means:
        raise DataError(f'{log} has no time of an iteration beside the first of each epoch: '
                        '--include-outliers counts those too, and a smaller log_config.interval '
                        'makes more of them')
    slowest, fastest = max(means, key=means.get), min(means, key=means.get)
    every = [time for times in epochs.values() for time in times]
    return (f'{"-" * 5}Analyze train time of {log}{"-" * 5}\n'
            f'slowest epoch {slowest}, average time is {means[slowest]:.4f}\n'
            f'fastest epoch {fastest}, average time is {means[fastest]:.4f}\n'
            f'time std over epochs is {statistics.pstdev(means.values()):.4f}\n'
            f'average iter time: {statistics.fmean(every):.4f} s/iter\n')
