"""Finds the checkpoint from which an interrupted run is resumed."""
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from ...fileio import atomic_write
from ...utils.errors import CheckpointError
from .files import read_checkpoint, read_meta

# Set by torchrun and slurm when they start a job again.
RESTART_COUNTS = ('TORCHELASTIC_RESTART_COUNT', 'SLURM_RESTART_COUNT')
# File of a work directory: the id of the run that was started there last and, in a second line, the
# checkpoint that it was resumed from, if that is another run's.
RUN_ID = '.run_id'


def was_restarted() -> bool:
    """Whether a launcher started this process again after a failure."""
    return any(os.environ.get(name, '0') not in ('', '0') for name in RESTART_COUNTS)


def newest_checkpoint(folder: str | Path, logger: logging.Logger,
                      run_id: str | None = None) -> Path | None:
    """The readable checkpoint in `folder` with the most iterations; None if there is none.

    The iteration stored in the file decides, since clocks may be wrong. `run_id`: only checkpoints
    of that run. Damaged files and those of other runs are left out with a warning.
    """
    others = 0
    found = []
    for path, meta in _resumable(Path(folder), logger):
        if run_id is not None and meta.get('run_id') != run_id:
            others += 1
        else:
            # Of the same iteration a regular one comes first.
            found.append((meta['iter'], not path.name.startswith('best_'), path.name, path))
    for *_, path in sorted(found, reverse=True):
        try:
            read_checkpoint(path, map_location='meta')
        except CheckpointError as error:
            logger.warning('auto-resume leaves out a checkpoint: %s', error)
        else:
            return path
    if others:
        logger.warning('auto-resume: the %d checkpoints in %s are of an earlier run; '
                       '--resume-from FILE goes on from one of them', others, folder)
    return None


def _resumable(folder: Path, logger: logging.Logger) -> Iterator[tuple[Path, dict]]:
    """Checkpoints in the folder that can be resumed from, and their meta data."""
    for path in folder.glob('*.pth'):
        if path.is_symlink():
            continue
        try:
            checkpoint = read_meta(path)
        except CheckpointError as error:
            logger.warning('auto-resume leaves out a checkpoint: %s', error)
            continue
        meta = checkpoint.get('meta')
        if (isinstance(meta, dict) and isinstance(meta.get('iter'), int)
                and 'optimizer' in checkpoint):
            yield path, meta


def current_run(folder: str | Path) -> tuple[str | None, str | None]:
    """Id of the run started last in a work directory, and its first checkpoint; None if unknown."""
    try:
        lines = Path(folder, RUN_ID).read_text(encoding='utf-8').split('\n')
    except (OSError, UnicodeDecodeError):
        return None, None
    run_id, origin = (lines + [''])[:2]
    return run_id.strip() or None, origin or None


def set_current_run(folder: str | Path, run_id: str, origin: str | None = None) -> None:
    """Note the run to which the next checkpoints in a work directory belong."""
    with atomic_write(Path(folder, RUN_ID), 'w') as file:
        file.write(f'{run_id}\n{origin or ""}\n')
