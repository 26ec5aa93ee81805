"""The best checkpoint of a run: how its file is called, and what a run that goes on knows of it."""
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mmcv_replace.runner import BaseRunner
from mmcv_replace.runner.checkpoint import read_meta
from mmcv_replace.runner.dist_utils import from_first_rank
from mmcv_replace.utils.errors import CheckpointError

# In the messages of hooks; the file's name decides which metric it is of.
BEST = ('best_score', 'best_ckpt', 'best_metric')
MAX_BYTES = 120  # of a metric in the name of a file, which has 255 with all that is around it
# A last number tells a file from one of that name with which the run began.
NAME = re.compile(r'best_(.+)_(?:epoch|iter)_\d+(?:_\d+)?\.pth', re.DOTALL)


def best_name(metric: str, unit: str, number: int) -> str:
    """Name of the file of the best checkpoint by `metric`, after `number` `unit`s."""
    return f'best_{file_label(metric)}_{unit}_{number}.pth'


def file_label(metric: str) -> str:
    """A metric's name as part of a file's: itself where that is safe, and never that of another.

    Letters of every language, digits, '.', '_', '-' and '+' stay; others become their bytes, %2F
    for a slash. What is too long is cut, and ends in '~' and a hash of the whole.
    """
    label = ''.join(char if char.isalnum() or char in '._-+' else quote(char, '', errors='replace')
                    for char in metric)
    data = label.encode()
    if len(data) <= MAX_BYTES:
        return label
    digest = hashlib.sha256(metric.encode(errors='replace')).hexdigest()[:16]
    return f'{data[:MAX_BYTES - 17].decode(errors="ignore")}~{digest}'


def is_best_of(file: Path, metrics: Iterable[str]) -> bool:
    """Whether the name says that this is the best checkpoint by one of the metrics.

    Earlier versions wrote the metric's name as it is.
    """
    match = NAME.fullmatch(file.name)
    return match is not None and any(match[1] in (metric, file_label(metric))
                                     for metric in metrics)


def find_best(runner: BaseRunner, metrics: Iterable[str], strictly: bool) -> dict[str, Any]:
    """Learn from the best checkpoints of the work directory what a resumed run does not know.

    Returns it, as in the messages of hooks. Files by one of `metrics` come first, and unless
    `strictly` any other. A regular checkpoint is saved before the evaluation of the same iteration.
    A best checkpoint that is gone is forgotten, and one that a kill kept from being deleted is.
    Every process has to call this.
    """
    known = from_first_rank(_look(runner, metrics, strictly) if runner.rank == 0 else {})
    if known:
        forget_best(runner)
        runner.hook_msgs.update(known)
    elif not Path(runner.hook_msgs.get('best_ckpt', '')).is_file():
        forget_best(runner)
    return {key: runner.hook_msgs[key] for key in BEST if key in runner.hook_msgs}


def _look(runner: BaseRunner, metrics: Iterable[str], strictly: bool) -> dict[str, Any]:
    """What the messages of hooks say of the newest best checkpoint; empty if there is none."""
    found = list(_outlines(runner))
    wanted = [entry for entry in found if is_best_of(entry[1], metrics)]
    candidates = wanted if wanted or strictly else found
    if not candidates:
        return {}
    iteration, file, known, _ = max(candidates, key=lambda entry: entry[0])
    for earlier, other, _, own in wanted:
        if own and earlier < iteration and other.resolve() not in runner.begun_from:
            try:
                other.unlink(missing_ok=True)
            except OSError as error:
                runner.logger.warning('%s is no longer the best, but stays: %s', other, error)
    return {key: known[key] for key in BEST if key in known} | {'best_ckpt': str(file)}


def _outlines(runner: BaseRunner) -> Iterator[tuple[int, Path, Mapping[str, Any], bool]]:
    """Iteration, file and messages of each best checkpoint, and whether this very run wrote it."""
    for file in Path(runner.work_dir).glob('best_*.pth'):
        try:
            meta = read_meta(file).get('meta')
        except CheckpointError as error:
            runner.logger.warning('%s', error)
            continue
        if not isinstance(meta, dict) or not isinstance(meta.get('iter'), int):
            continue
        run_id = meta.get('run_id')
        own = run_id == runner.meta.get('run_id')
        # Beyond the checkpoint that this run began with, another one is another run.
        common = run_id == runner.resumed_run and meta['iter'] <= runner.iter
        known = meta.get('hook_msgs')
        if (own or common) and isinstance(known, dict) and 'best_score' in known:
            yield meta['iter'], file, known, own and run_id is not None


def forget_best(runner: BaseRunner) -> None:
    for key in BEST:
        runner.hook_msgs.pop(key, None)
