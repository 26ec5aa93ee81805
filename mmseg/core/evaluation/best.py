"""The best checkpoint of a run: the name of its file, and how a resumed run finds it."""
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

# Entries of the hooks' messages. For which metric a file is the best is read from its name.
BEST = ('best_score', 'best_ckpt', 'best_metric')
MAX_BYTES = 120  # limit for a metric in a file's name, whose own limit is 255 on most systems
# The optional last number avoids the name of a checkpoint from which the run was started.
NAME = re.compile(r'best_(.+)_(?:epoch|iter)_\d+(?:_\d+)?\.pth', re.DOTALL)


def best_name(metric: str, unit: str, number: int) -> str:
    """File name of the best checkpoint by `metric`, after `number` of `unit` (epoch, iter)."""
    return f'best_{file_label(metric)}_{unit}_{number}.pth'


def file_label(metric: str) -> str:
    """A metric's name in a form that is safe in a file's name, and unique.

    Letters of any language, digits, '.', '_', '-' and '+' are kept; other characters become their
    bytes, such as %2F for a slash. A name that is too long ends in '~' and a hash.
    """
    label = ''.join(char if char.isalnum() or char in '._-+' else quote(char, '', errors='replace')
                    for char in metric)
    data = label.encode()
    if len(data) <= MAX_BYTES:
        return label
    digest = hashlib.sha256(metric.encode(errors='replace')).hexdigest()[:16]
    return f'{data[:MAX_BYTES - 17].decode(errors="ignore")}~{digest}'


def is_best_of(file: Path, metrics: Iterable[str]) -> bool:
    """Whether a file is the best checkpoint by one of the metrics, according to its name.

    Earlier versions wrote the metric's name unchanged.
    """
    match = NAME.fullmatch(file.name)
    return match is not None and any(match[1] in (metric, file_label(metric))
                                     for metric in metrics)


def find_best(runner: BaseRunner, metrics: Iterable[str], strictly: bool) -> dict[str, Any]:
    """Update the hooks' messages of a resumed run from the best checkpoints in its work directory.

    This is needed because a regular checkpoint is saved before the evaluation of its iteration.
    Returns the entries `BEST`, if known. The newest file for one of `metrics` counts; without one,
    and unless `strictly`, that for any metric. Older files of this run for `metrics`, left by a
    kill, are deleted; a file that no longer exists is forgotten. Every process has to call this.
    """
    known = from_first_rank(_look(runner, metrics, strictly) if runner.rank == 0 else {})
    if known:
        forget_best(runner)
        runner.hook_msgs.update(known)
    elif not Path(runner.hook_msgs.get('best_ckpt', '')).is_file():
        forget_best(runner)
    return {key: runner.hook_msgs[key] for key in BEST if key in runner.hook_msgs}


def _look(runner: BaseRunner, metrics: Iterable[str], strictly: bool) -> dict[str, Any]:
    """The entries `BEST` of the newest best checkpoint; empty if there is none."""
    found = list(_read_metas(runner))
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


def _read_metas(runner: BaseRunner) -> Iterator[tuple[int, Path, Mapping[str, Any], bool]]:
    """Iteration, file and messages of each best checkpoint, and whether this run wrote it."""
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
        # Later checkpoints of the run that was resumed are not part of this run's history.
        common = run_id == runner.resumed_run and meta['iter'] <= runner.iter
        known = meta.get('hook_msgs')
        if (own or common) and isinstance(known, dict) and 'best_score' in known:
            yield meta['iter'], file, known, own and run_id is not None


def forget_best(runner: BaseRunner) -> None:
    """Delete the entries `BEST` from the hooks' messages."""
    for key in BEST:
        runner.hook_msgs.pop(key, None)
