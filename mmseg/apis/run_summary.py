"""Figures of a finished run, read from its JSON logs, as text for the result files."""
import json
import platform
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmcv_replace.runner.hooks.iter_timer import WARMUP_ITERS
from mmcv_replace.utils.errors import DataError

UNKNOWN = 'NA'  # for a figure that was not measured, such as mIoU without an evaluation


@dataclass(frozen=True)
class RunSummary:
    """Figures from the logs of a run; None for what was not measured."""

    fps: float | None = None  # images per second of all processes together
    loss: float | None = None  # in the last log line
    miou: float | None = None  # in the last evaluation


def summarize_run(work_dir: str | Path) -> RunSummary:
    """Figures of the newest training in `work_dir`, or of the newest test if there is none.

    Throughput is the harmonic mean of the `fps` in the log lines, that is all images by all time.
    The first WARMUP_ITERS iterations do not count, as they compile kernels and fill caches. Raises
    DataError for a folder without figures.
    """
    logs = sorted(Path(work_dir).glob('*.log.json'))
    if logs:
        return _summarize_training(logs[-1])
    scores = sorted(Path(work_dir).glob('eval_*.json'))
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


def _summarize_training(log: Path) -> RunSummary:
    lines = [_parse(log, number, text) for number, text in
             enumerate(log.read_text(encoding='utf-8').splitlines(), start=1)]
    train = [line for line in lines if line.get('mode') == 'train']
    if not train:
        raise DataError(f'{log} has no line of training: the run ended before its first log line '
                        '(log_config.interval iterations)')
    # Where one line covers all iterations, the logger has excluded the first ones itself.
    steady = [line for line in train if line['iter'] > WARMUP_ITERS] or train
    # mIoU_ema stands alone where only the averaged weights were scored.
    scores = [line.get('mIoU', line.get('mIoU_ema')) for line in lines
              if line.get('mode') == 'val' and line.keys() & {'mIoU', 'mIoU_ema'}]
    return RunSummary(
        fps=statistics.harmonic_mean(line['fps'] for line in steady),
        loss=train[-1]['loss'],
        miou=scores[-1] if scores else None)


def _parse(log: Path, number: int, text: str) -> Mapping[str, object]:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f'{log}, line {number} is not JSON ({error}): was the run cut off?'
                        ) from error


def _text(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None else f'{value:.{digits}f}'
