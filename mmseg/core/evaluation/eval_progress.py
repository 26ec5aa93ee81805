"""A file that records the last finished evaluation, for a run that is resumed after a kill.

A checkpoint cannot record it: it is saved before the evaluation of the same iteration.
"""
from pathlib import Path

from mmcv_replace.fileio import atomic_write
from mmcv_replace.runner import BaseRunner
from mmcv_replace.runner.dist_utils import from_first_rank

NAME = '.evaluated'  # in the work directory; holds the run's ID, and iterations or epochs


def note_evaluated(runner: BaseRunner, done: int) -> None:
    """Record that the evaluation after `done` iterations or epochs has finished."""
    run_id = runner.meta.get('run_id')
    if run_id is None or runner.work_dir is None or runner.rank != 0:
        return
    try:
        with atomic_write(Path(runner.work_dir, NAME), 'w') as file:
            file.write(f'{run_id} {done}\n')
    except OSError as error:
        # At worst the evaluation is repeated after a kill.
        runner.logger.warning('cannot write %s: %s', Path(runner.work_dir, NAME), error)


def missed_evaluation(runner: BaseRunner, done: int) -> bool:
    """Whether the run was interrupted before the evaluation after `done` had finished.

    False for checkpoints without the ID of their run. The result is that of the first process, in
    every process; all have to call this.
    """
    run_id = runner.meta.get('run_id')
    if run_id is None or runner.work_dir is None:
        return False
    runs = {run_id, runner.resumed_run}
    return from_first_rank(_last_of(Path(runner.work_dir, NAME), runs) < done)


def _last_of(file: Path, runs: set[str | None]) -> int:
    try:
        owner, done = file.read_text().split()
        return int(done) if owner in runs else 0
    except (OSError, ValueError):
        return 0
