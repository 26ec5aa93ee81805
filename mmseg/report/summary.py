"""Figures of a finished run, read from its JSON logs, as text for the result files."""
import json
import logging
import math
import platform
from dataclasses import dataclass
from pathlib import Path

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.path import matching_files

from .log_file import PATTERN, read_log
from .speed import images_per_second

logger = logging.getLogger('mmseg.report')

UNKNOWN = 'NA'  # for a figure that was not measured, such as mIoU without an evaluation


@dataclass(frozen=True)
class RunSummary:
    """Figures from the logs of a run; None for what was not measured."""

    fps: float | None = None  # images per second of all processes together
    loss: float | None = None  # in the last log line
    miou: float | None = None  # in the last evaluation


def summarize_run(work_dir: str | Path) -> RunSummary:
    """Figures of the newest training in `work_dir`, or of the newest test if there is none.

    Throughput: see `images_per_second`. Raises DataError for a folder without figures.
    """
    logs = matching_files(work_dir, PATTERN)
    if logs:
        return _summarize_training(logs[-1])
    scores = matching_files(work_dir, 'eval_*.json')
    if scores:
        return RunSummary(miou=json.loads(scores[-1].read_text(encoding='utf-8')).get('mIoU'))
    raise DataError(f'{work_dir} has neither TIME.log.json of a training nor eval_TIME.json of a '
                    'test: name the --work-dir of a finished run')


def format_result(summary: RunSummary, case: str, network: str, rank_size: int, batch_size: int,
                  seconds: int) -> str:
    """Text of a result file, a `Key = value` on each line; TrainingTime: milliseconds per step.

    `rank_size`: number of devices; `batch_size`: of each; `seconds`: duration of the whole run.
    """
    step_images = batch_size * rank_size
    values = {
        'Network': network,
        'RankSize': rank_size,
        'BatchSize': batch_size,
        'DeviceType': platform.machine(),
        'CaseName': case,
        'ActualFPS': _text(summary.fps, 2),
        'TrainingTime': _text(summary.fps and 1000 * step_images / summary.fps, 2),
        'mIoU': _text(summary.miou, 4),
        'ActualLoss': _text(summary.loss, 4),
        'E2ETrainingTime': seconds,
    }
    return ''.join(f'{key} = {value}\n' for key, value in values.items())


def format_final_lines(summary: RunSummary, seconds: int) -> str:
    """The last lines that a launch script prints: the figures that were measured."""
    lines = []
    if summary.fps is not None:
        lines.append(f'Final Performance images/sec : {_text(summary.fps, 2)}')
    if summary.miou is not None:
        lines.append(f'Final mIoU : {_text(summary.miou, 4)}')
    return '\n'.join([*lines, f'E2E Training Duration sec : {seconds}'])


def _summarize_training(file: Path) -> RunSummary:
    log = read_log(file)
    for note in log.notes:
        logger.warning('%s', note)
    train = log.of_mode('train')
    if not train:
        raise DataError(f'{file} has no line of training: the run ended before its first log line '
                        '(log_config.interval iterations)')
    # mIoU_ema stands alone where only the averaged weights were scored.
    scores = [line.get('mIoU', line.get('mIoU_ema')) for line in log.of_mode('val')
              if line.keys() & {'mIoU', 'mIoU_ema'}]
    return RunSummary(images_per_second(train), _finite(train[-1].get('loss')),
                      _finite(scores[-1]) if scores else None)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _text(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None else f'{value:.{digits}f}'
