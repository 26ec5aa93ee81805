"""Evaluations on the disk: WORK_DIR/evaluations/iter_2000.npz, one file each."""
import json
import logging
import math
import time
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmcv_replace.fileio import atomic_write
from mmcv_replace.runner import BaseRunner
from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.path import matching_files

from .evidence import Evaluation

FOLDER = 'evaluations'
AVERAGED = '_ema'  # suffix of the files, and of scores in the log, of the averaged weights
EARLIER = 'earlier_runs'  # entry of the hooks' messages, which checkpoints keep

logger = logging.getLogger('mmseg.evaluation')


@dataclass(frozen=True)
class EvaluationRecord:
    """An evaluation as it is kept on the disk."""

    path: Path
    done: int  # iterations or epochs
    by_epoch: bool
    averaged: bool  # of the averaged weights
    scores: dict[str, float]  # fractions, those of classes too ('IoU.person'); NaN where unknown
    classes: tuple[str, ...]
    palette: list[list[int]]  # RGB of the classes; empty if unknown
    confusion: np.ndarray | None  # [C, C] int64, row = true class
    time: float  # seconds since 1970
    run_id: str | None
    # The runs that this one went on from, and the evaluations up to which they belong to it.
    earlier: list[tuple[str | None, int]]


def record_name(done: int, by_epoch: bool, averaged: bool) -> str:
    """File name, without suffix, of an evaluation."""
    return f'{"epoch" if by_epoch else "iter"}_{done}{AVERAGED if averaged else ""}'


def note_earlier_run(runner: BaseRunner, done: int) -> None:
    """Note, where a new run begins with the checkpoint of another, what belongs to its history."""
    if done > 0 and runner.resumed_run != runner.meta.get('run_id'):
        runner.hook_msgs[EARLIER] = [*runner.hook_msgs.get(EARLIER, ()),
                                     [runner.resumed_run, done]]


def write_evaluation(runner: BaseRunner, evaluation: Evaluation) -> None:
    """Write an evaluation below the work directory, on the first process.

    A repeated evaluation replaces the file. What cannot be written is said and left out.
    """
    if runner.rank != 0 or runner.work_dir is None:
        return
    name = record_name(evaluation.done, evaluation.by_epoch, evaluation.averaged)
    path = Path(runner.work_dir, FOLDER, f'{name}.npz')
    try:
        write_record(path, evaluation, runner.meta.get('run_id'),
                     runner.hook_msgs.get(EARLIER, []))
    except OSError as error:  # a full disk must not end the training
        warn_once(f'{path} cannot be written: the scores of this evaluation are in the log alone: '
                  f'{error}')


def write_record(path: Path, evaluation: Evaluation, run_id: str | None = None,
                 earlier: Sequence[Sequence[Any]] = ()) -> None:
    """Write an evaluation in the form that `read_record` reads; OSError where that is impossible.

    `run_id`, `earlier`: those of EvaluationRecord.
    """
    record = dict(
        done=evaluation.done, by_epoch=evaluation.by_epoch, averaged=evaluation.averaged,
        scores={name: value for name, value in evaluation.scores.items()
                if isinstance(value, bool | int | float | str | None)},
        classes=list(evaluation.classes), palette=evaluation.palette, time=time.time(),
        run_id=run_id, earlier=list(earlier))
    arrays = {'record': np.array(json.dumps(record))}
    if evaluation.confusion is not None:
        arrays['confusion'] = evaluation.confusion
    with atomic_write(path, sync=False) as file:
        np.savez_compressed(file, **arrays)


def read_evaluations(work_dir: str | Path, every_run: bool = False) -> list[EvaluationRecord]:
    """The evaluations of the run in a work directory, in their order, trained weights first.

    Those of earlier runs in the folder are left out, but for what the last one went on from; with
    `every_run` they come too. A damaged file is left out with a warning. Raises DataError for a
    folder that may not be read.
    """
    found = []
    for path in matching_files(Path(work_dir, FOLDER), '*.npz'):
        try:
            found.append(read_record(path))
        except DataError as error:
            logger.warning('%s', error)
    if not every_run:
        found = list(_of_last_run(found))
    return sorted(found, key=lambda record: (record.by_epoch, record.done, record.averaged))


def _of_last_run(records: list[EvaluationRecord]) -> Iterable[EvaluationRecord]:
    last = max(records, key=lambda record: record.time, default=None)
    if last is None:
        return ()
    limits = {**dict(last.earlier), last.run_id: math.inf}
    return (record for record in records if record.done <= limits.get(record.run_id, -1))


def read_record(path: Path) -> EvaluationRecord:
    """Read a file; DataError for one that is damaged or something else."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            record: Any = json.loads(str(arrays['record']))
            confusion = arrays['confusion'] if 'confusion' in arrays.files else None
        return EvaluationRecord(
            path, int(record['done']), bool(record['by_epoch']), bool(record['averaged']),
            dict(record['scores']), tuple(record['classes']), list(record['palette']), confusion,
            float(record['time']), record['run_id'],
            [(run, int(done)) for run, done in record['earlier']])
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError,
            zipfile.BadZipFile) as error:
        raise DataError(f'{path} is no record of an evaluation, or damaged: {error}; delete it'
                        ) from error
