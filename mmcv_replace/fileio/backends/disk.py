"""Files on the disks of this machine."""
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...utils.errors import DataError, MissingDataError
from ..atomic import atomic_write
from .base import BaseStorageBackend, list_tree


def read_bytes(path: str | Path, what: str = '') -> bytes:
    """Content of a file; DataError, in which `what` precedes its name, where it cannot be read."""
    try:
        with open(path, 'rb') as file:
            return file.read()
    except (OSError, ValueError) as error:  # the latter for a NUL in the name
        raise _unreadable(f'{what}{path}', error) from error


def _unreadable(name: str | Path, error: OSError | ValueError) -> DataError:
    reason = getattr(error, 'strerror', None) or error
    kind = MissingDataError if isinstance(error, FileNotFoundError) else DataError
    return kind(f'cannot read {name}: {reason}')


class HardDiskBackend(BaseStorageBackend):
    """Files on the disks of this machine."""

    _allow_symlink = True
    has_stamps = True

    def get(self, filepath: str | Path) -> bytes:
        """Content of a file; DataError where it cannot be read."""
        return read_bytes(filepath)

    def stamp(self, filepath: str | Path) -> str:
        """Size and times of change of a file; DataError where it does not exist.

        The time of its content may be set by whoever changes it, as tar, rsync and zips of one date
        do. That of its entry may not, but it changes with a new name or owner, too.
        """
        try:
            status = os.stat(filepath)
        except (OSError, ValueError) as error:
            raise _unreadable(filepath, error) from error
        return f'{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}'

    def get_text(self, filepath: str | Path, encoding: str = 'utf-8') -> str:
        """Content of a text file, in which every line ends with one newline."""
        text = super().get_text(filepath, encoding)
        return text.replace('\r\n', '\n').replace('\r', '\n')

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file in one step; its folder is created if necessary."""
        with atomic_write(filepath) as file:
            file.write(obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write a text file in one step; its folder is created if necessary."""
        self.put(obj.encode(encoding), filepath)

    def remove(self, filepath: str | Path) -> None:
        """Delete a file; OSError where that fails."""
        os.remove(filepath)

    def exists(self, filepath: str | Path) -> bool:
        """Whether there is a file or folder."""
        return os.path.exists(filepath)

    def isdir(self, filepath: str | Path) -> bool:
        """Whether there is a folder."""
        return os.path.isdir(filepath)

    def isfile(self, filepath: str | Path) -> bool:
        """Whether there is a file."""
        return os.path.isfile(filepath)

    def join_path(self, filepath: str | Path, *filepaths: str | Path) -> str:
        """A path from its parts."""
        return os.path.join(filepath, *filepaths)

    @contextmanager
    def get_local_path(self, filepath: str | Path) -> Iterator[str | Path]:
        """The path itself."""
        yield filepath

    def list_dir_or_file(self, dir_path: str | Path, list_dir: bool = True, list_file: bool = True,
                         suffix: str | tuple[str, ...] | None = None, recursive: bool = False,
                         ) -> Iterator[str]:
        """Relative paths of the folders, and of the files that are not hidden, in a folder."""
        def entries(folder: str) -> Iterator[tuple[str, bool]]:
            with os.scandir(os.path.join(dir_path, folder)) as found:
                for entry in sorted(found, key=lambda entry: entry.name):
                    if entry.is_dir() or not entry.name.startswith('.'):
                        yield entry.name, entry.is_dir()

        return list_tree(entries, list_dir, list_file, suffix, recursive)
