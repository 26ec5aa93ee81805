"""Helpers for files and folders."""
import os
import uuid
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any

from .errors import ArgumentError, ConfigError, DataError, MissingDataError


def is_filepath(x: object) -> bool:
    """Whether a value is a str or Path."""
    return isinstance(x, (str, Path))


def fopen(filepath: str | Path, *args: Any, **kwargs: Any) -> IO[Any]:
    """Open a file as `open` does; raises ConfigError for what is no str or Path."""
    if not is_filepath(filepath):
        raise ConfigError(f'filepath is a str or a Path, not {filepath!r}')
    return open(filepath, *args, **kwargs)


def check_file_exist(filename: str | Path, msg_tmpl: str = 'file "{}" does not exist') -> None:
    """Raise MissingDataError if the file does not exist."""
    if not os.path.isfile(filename):
        raise MissingDataError(msg_tmpl.format(filename))


def mkdir_or_exist(dir_name: str | Path, mode: int = 0o777) -> None:
    """Create a folder and its parents unless they exist; '' is the current folder."""
    if dir_name:
        os.makedirs(os.path.expanduser(dir_name), mode=mode, exist_ok=True)


def path_inside(folder: str | Path, name: str | Path) -> Path:
    """The path `folder/name` for writing, where `name` comes from untrusted data.

    Raises DataError for a path outside of the folder: by '..', an absolute name, or a link.
    """
    path, root = Path(folder, name), os.path.realpath(folder)
    try:
        target = os.path.realpath(path)
    except ValueError:  # a null character in the name
        target = ''
    if target == root or not Path(target).is_relative_to(root):
        raise DataError(f'{str(name)!r} is not written: it lies outside of the folder {folder}; '
                        'correct the list of names, or remove the link')
    return path


def symlink(src: str | Path, dst: str | Path, overwrite: bool = True, **kwargs: Any) -> None:
    """Make `dst` a link to `src`; with `overwrite` an existing `dst` is replaced atomically.

    `kwargs` are those of os.symlink.
    """
    if not overwrite:
        os.symlink(src, dst, **kwargs)
        return
    temporary = Path(f'{dst}.{uuid.uuid4().hex}.tmp')
    try:
        os.symlink(src, temporary, **kwargs)
        os.replace(temporary, dst)
    finally:
        temporary.unlink(missing_ok=True)


def scandir(dir_path: str | Path, suffix: str | tuple[str, ...] | None = None,
            recursive: bool = False, case_sensitive: bool = True, broken_links: bool = False
            ) -> Iterator[str]:
    """Sorted names of the files in a folder, relative to it, without hidden ones.

    With `broken_links` also those of links to what does not exist.
    """
    if not is_filepath(dir_path):
        raise ArgumentError(f'dir_path is a str or a Path, not {dir_path!r}')
    if not isinstance(suffix, (str, tuple, type(None))):
        raise ArgumentError(f'suffix is a str or a tuple of them, not {suffix!r}')
    wanted = (suffix,) if isinstance(suffix, str) else suffix
    if wanted is not None and not case_sensitive:
        wanted = tuple(entry.lower() for entry in wanted)

    def scan(folder: str | Path, prefix: str, above: tuple[str, ...]) -> Iterator[str]:
        above = (*above, os.path.realpath(folder))  # links to these folders are not followed
        for entry in sorted(os.scandir(folder), key=lambda found: found.name):
            if entry.name.startswith('.'):
                continue
            if entry.is_file() or broken_links and not os.path.exists(entry.path):
                name = entry.name if case_sensitive else entry.name.lower()
                if wanted is None or name.endswith(wanted):
                    yield prefix + entry.name
            elif recursive and entry.is_dir() and os.path.realpath(entry.path) not in above:
                yield from scan(entry.path, f'{prefix}{entry.name}/', above)

    return scan(Path(dir_path), '', ())


def matching_files(folder: str | Path, pattern: str) -> list[Path]:
    """The files in a folder whose names match a pattern (`*.json`), sorted; none without a folder.

    Raises DataError for a folder that may not be read, which `Path.glob` takes for an empty one.
    """
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f'cannot read the folder {folder}: {error.strerror or error}') from error
    return [Path(folder, name) for name in sorted(names) if fnmatchcase(name, pattern)]


def find_vcs_root(path: str | Path, markers: Sequence[str] = ('.git',)) -> str | None:
    """The nearest folder, from `path` upwards, with one of the marks in it; None without one."""
    start = Path(path).absolute()
    folders = [start, *start.parents] if start.is_dir() else start.parents
    return next((str(folder) for folder in folders
                 if any((folder / marker).exists() for marker in markers)), None)
