"""Output of converters and importers, all or nothing: no part of it stays behind an error, Ctrl-C
or SIGTERM.
"""
import contextlib
import errno
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mmcv_replace.fileio import atomic_write, list_from_file
from mmcv_replace.interrupts import cleaning_up_when_terminated
from mmcv_replace.utils.errors import DataError, MissingDataError

UNFINISHED = '.unfinished.'
FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def staged(out_dir: str | Path, remedy: str = 'choose another one with -o') -> Iterator[Path]:
    """A folder whose files move to `out_dir` when the block ends without an error.

    They keep their place below it, and replace files of the same names; other files stay. After an
    error `out_dir` is as before. Raises DataError where it cannot be written to; what to do then is
    `remedy`.
    """
    out_dir = Path(out_dir)
    new = [folder for folder in (out_dir, *out_dir.parents) if not folder.exists()]
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=out_dir))
    except OSError as error:
        raise DataError(f'cannot write to the folder {out_dir}: {error.strerror or error}; '
                        f'{remedy}') from error
    try:
        with cleaning_up_when_terminated():
            yield folder
            _move(folder, out_dir)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DataError(f'the disk of {out_dir} is full: make room, or {remedy}') from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for empty in new:
            with contextlib.suppress(OSError):  # it holds files
                empty.rmdir()


def _move(folder: Path, out_dir: Path) -> None:
    """Move what is in a folder; folders that are not there yet as a whole, which is one step."""
    for path in sorted(folder.iterdir()):
        target = out_dir / path.name
        if path.is_dir() and target.is_dir():
            _move(path, target)
        else:
            path.replace(target)


def read_names(path: Path, expected: str) -> list[str]:
    """Names in a list file; MissingDataError, with the layout `expected`, where it is missing."""
    if not path.is_file():
        raise MissingDataError(f'the list {path} does not exist\n{expected}')
    return [line.strip() for line in list_from_file(path) if line.strip()]


def write_names(path: str | Path, names: Iterable[str]) -> None:
    """Write a list file of image names, sorted."""
    with atomic_write(path) as file:
        file.write(''.join(f'{name}\n' for name in sorted(names)).encode())
