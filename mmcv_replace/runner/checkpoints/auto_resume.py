"""Which checkpoint a run that was interrupted goes on from."""
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from ...fileio import atomic_write
from ...utils.errors import CheckpointError
from .files import read_checkpoint, read_meta

# Set by torchrun and slurm when they start a job again.
RESTART_COUNTS = ('TORCHELASTIC_RESTART_COUNT', 'SLURM_RESTART_COUNT')
# File of a work directory: which run was started there last and, in a second line, the checkpoint
# that it went on from, if it went on from another run's.
RUN_ID = '.run_id'


def was_restarted() -> bool:
    """Whether a launcher started this process in the place of one that ended."""
    return any(os.environ.get(name, '0') not in ('', '0') for name in RESTART_COUNTS)


def newest_checkpoint(folder: str | Path, logger: logging.Logger,
                      run_id: str | None = None) -> Path | None:
    """The checkpoint in `folder`, of the run `run_id` unless that is None, furthest on and sound.

    The iteration in the file decides, since clocks may be wrong. Damaged files, and those of an
    earlier run in the same folder, are left out with a message.
    """
    others = 0
    found = []
    for path, meta in _outlines(Path(folder), logger):
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


def _outlines(folder: Path, logger: logging.Logger) -> Iterator[tuple[Path, dict]]:
    """Files of the folder that a run can resume from, and their meta data."""
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
    """The run that was started last in a work directory, and the checkpoint that it began with.

    None for what is unknown.
    """
    try:
        lines = Path(folder, RUN_ID).read_text(encoding='utf-8').split('\n')
    except (OSError, UnicodeDecodeError):
        return None, None
    run_id, origin = (lines + [''])[:2]
    return run_id.strip() or None, origin or None


def set_current_run(folder: str | Path, run_id: str, origin: str | None = None) -> None:
    """Say whose checkpoints the next ones in a work directory are."""
    with atomic_write(Path(folder, RUN_ID), 'w') as file:
        file.write(f'{run_id}\n{origin or ""}\n')
