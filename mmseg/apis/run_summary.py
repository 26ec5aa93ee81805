"""The figures of a finished run, read from its JSON files, in the keys of the result files."""
import json
import platform
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmcv_replace.runner.hooks.iter_timer import WARMUP_ITERS
from mmcv_replace.utils.errors import DataError

UNKNOWN = 'NA'  # what a run has not measured, as mIoU without an evaluation


@dataclass(frozen=True)
class RunSummary:
    """What a run tells of itself; None where it has not measured it."""

    fps: float | None = None  # images a second of all processes together
    loss: float | None = None  # of the last log line
    miou: float | None = None  # of the last evaluation


@dataclass(frozen=True)
class RunFacts:
    """What the starter of a run knows of it."""

    network: str
    rank_size: int
    batch_size: int  # of one device
    seconds: int  # from start to end


def summarize_run(work_dir: str | Path) -> RunSummary:
    """Figures of the newest training, or else the newest test, that wrote to `work_dir`.

    Throughput is the harmonic mean of the `fps` of the log lines, all images over all time,
    without the first iterations (WARMUP_ITERS): their compilations and caches are no throughput.
    Raises DataError where the folder has no figures.
    """
    logs = sorted(Path(work_dir).glob('*.log.json'))
    if logs:
        return _summarize_training(logs[-1])
    scores = sorted(Path(work_dir).glob('eval_*.json'))
    if scores:
        return RunSummary(miou=json.loads(scores[-1].read_text(encoding='utf-8')).get('mIoU'))
    raise DataError(f'{work_dir} has neither TIME.log.json of a training nor eval_TIME.json of a '
                    'test: name the --work-dir of a finished run')


def format_result(summary: RunSummary, facts: RunFacts, case: str) -> str:
    """Text of a result file, one `Key = value` a line; TrainingTime is milliseconds a step."""
    step_images = facts.batch_size * facts.rank_size
    values = {
        'Network': facts.network,
        'RankSize': facts.rank_size,
        'BatchSize': facts.batch_size,
        'DeviceType': platform.machine(),
        'CaseName': case,
        'ActualFPS': _text(summary.fps, 2),
        'TrainingTime': _text(summary.fps and 1000 * step_images / summary.fps, 2),
        'mIoU': _text(summary.miou, 4),
        'ActualLoss': _text(summary.loss, 4),
        'E2ETrainingTime': facts.seconds,
    }
    return ''.join(f'{key} = {value}\n' for key, value in values.items())


def format_final_lines(summary: RunSummary, seconds: int) -> str:
    """The closing lines of a launch script, for what was measured."""
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
    # A line that also covers later iterations has left out the first ones itself.
    steady = [line for line in train if line['iter'] > WARMUP_ITERS] or train
    # A run may have scored its averaged weights alone.
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
