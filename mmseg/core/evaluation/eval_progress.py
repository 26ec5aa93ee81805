"""Which evaluation of a run was the last to end, for a run that goes on after a kill.

A checkpoint is saved before the evaluation of the same iteration, so it cannot know.
"""
from pathlib import Path

from mmcv_replace.fileio import atomic_write
from mmcv_replace.runner import BaseRunner
from mmcv_replace.runner.dist_utils import from_first_rank

NAME = '.evaluated'  # in the work directory: the run, and after how many iterations or epochs


def note_evaluated(runner: BaseRunner, done: int) -> None:
    """Remember that the evaluation after `done` iterations or epochs has ended."""
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
    """Whether the run was interrupted before the evaluation after `done` had ended.

    False for checkpoints that do not say which run they are of. The same in every process.
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
