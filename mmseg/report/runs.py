"""Finds the runs of a work directory: which logs and evaluations belong together."""
import os
from dataclasses import replace
from pathlib import Path

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.path import matching_files
from mmseg.core.evaluation.records import EvaluationRecord, read_evaluations

from .joining import join
from .log_file import PATTERN, LogFile, read_log
from .run import Run


def read_runs(folder: str | Path) -> list[Run]:
    """The runs of a work directory in the order of their starts.

    Raises DataError for a folder without a log, or that may not be read.
    """
    folder = Path(folder)
    groups: list[list[LogFile]] = []
    for log in map(read_log, matching_files(folder, PATTERN)):
        former = next((group for group in reversed(groups) if _goes_on(group, log)), None)
        if former is not None:
            former.append(log)
        else:
            groups.append([log])
    if not groups:
        what = 'has no' if folder.is_dir() else 'is no folder with a'
        raise DataError(f'{folder} {what} TIMESTAMP.log.json: name the --work-dir of a training, '
                        'whose log_config.hooks have a TextLoggerHook')
    name = folder.resolve().name
    runs = [join(Run(name, folder, group)) for group in groups]
    _give_evaluations(runs, folder)
    return runs


def find_run(place: str | Path) -> Run:
    """The run of a log, or that of a work directory which started last, with a note of others.

    A log without the ID of its run, as those of mmsegmentation 0.x, is a run of its own. Raises
    DataError for a file that is no log, and for a folder without one.
    """
    path = Path(place)
    if os.path.isfile(path):  # which, as a method, would fail in a folder that is closed
        log = read_log(path)
        if log.notes and not (log.meta or log.records):
            raise DataError(f'{path} is no log: none of its lines is a JSON object of a training; '
                            'name a work directory, or a TIMESTAMP.log.json in one')
        if log.meta.get('run_id') is None:
            return join(Run(path.name.removesuffix(PATTERN[1:]), path.parent, [log]))
        return next(run for run in read_runs(path.parent)
                    if any(each.path.name == path.name for each in run.logs))
    runs = read_runs(path)
    run = next((run for run in reversed(runs) if run.train or run.val), runs[-1])
    others = [each.logs[0].path.name for each in runs if each is not run]
    if others:
        run.notes.append('not shown, other runs in this folder: ' + ', '.join(others)
                         + ' (name such a file in place of the folder to see its run)')
    return run


def _goes_on(group: list[LogFile], log: LogFile) -> bool:
    """Whether a log is of the run of earlier ones, or of one that was resumed from it."""
    run_id, former = log.meta.get('run_id'), group[-1].meta.get('run_id')
    if run_id is not None or former is not None:
        start = log.meta.get('start')
        resumed = start.get('resumed_run') if isinstance(start, dict) else None
        return former is not None and former in (run_id, resumed)
    # Logs of 0.x say nothing: one that begins later than the former began goes on with it.
    begins = [min(((record['epoch'], record['iter']) for record in each.of_mode('train')),
                  default=None) for each in (group[0], log)]
    return None not in begins and begins[0] < begins[1]


def _give_evaluations(runs: list[Run], folder: Path) -> None:
    """Give each run the evaluations that are recorded of it."""
    for record in read_evaluations(folder, every_run=True):
        owner = next((run for run in reversed(runs) if any(
            record.run_id == log.meta.get('run_id') for log in run.logs)), None)
        if owner is None:
            continue
        record = _in_units_of(owner, record)
        # What lies behind the place at which a run was resumed, was not reached again.
        if not (owner.resumes and record.done > owner.last > 0):
            owner.evaluations.append(record)


def _in_units_of(run: Run, record: EvaluationRecord) -> EvaluationRecord:
    """A record whose place is counted as in the log: `log_config` and `evaluation` may differ."""
    if record.by_epoch == run.by_epoch or not run.epoch_length:
        return record
    done = (round(record.done / run.epoch_length, 6) if run.by_epoch
            else record.done * run.epoch_length)
    return replace(record, done=done, by_epoch=run.by_epoch)
