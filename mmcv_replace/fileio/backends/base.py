"""What all backends have in common."""
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...utils.errors import ConfigTypeError, DataError

Listing = Callable[[str], Iterable[tuple[str, bool]]]


class BaseStorageBackend(ABC):
    """Base class of the backends, which implement `get`, and what else their place can do."""

    # Whether a symbolic link to a file of this backend can be made.
    _allow_symlink = False
    # Whether `stamp` tells that a file was changed.
    has_stamps = False

    @property
    def name(self) -> str:
        """Name of the class."""
        return type(self).__name__

    @property
    def allow_symlink(self) -> bool:
        """Whether a symbolic link to a file can be made."""
        return self._allow_symlink

    @abstractmethod
    def get(self, filepath: str | Path) -> bytes:
        """Content of a file."""

    def get_text(self, filepath: str | Path, encoding: str = 'utf-8') -> str:
        """Content of a text file."""
        return decode_text(self.get(filepath), filepath, encoding)

    def stamp(self, filepath: str | Path) -> str:
        """A text of size and time that is another one after a change of the file."""
        raise NotImplementedError(f'{self.name} tells no time of change')


class RemoteBackend(BaseStorageBackend):
    """Base of the backends whose files are elsewhere."""

    @contextmanager
    def get_local_path(self, filepath: str | Path) -> Iterator[str]:
        """Path of a temporary copy, with the suffix of the file."""
        descriptor, path = tempfile.mkstemp(suffix=Path(str(filepath)).suffix)
        try:
            with os.fdopen(descriptor, 'wb') as file:
                file.write(self.get(filepath))
            yield path
        finally:
            os.remove(path)


def decode_text(content: bytes, name: str | Path, encoding: str = 'utf-8') -> str:
    """The text in the content of a file; DataError for bytes that are no text."""
    try:
        return bytes(content).decode(encoding)
    except UnicodeDecodeError as error:
        kind = 'UTF-8' if encoding.startswith('utf-8') else encoding
        raise DataError(f'{name} is not a {kind} text file: {error}; store it as '
                        f'{kind}, or fetch it again') from error


def list_tree(entries: Listing, list_dir: bool, list_file: bool,
              suffix: str | tuple[str, ...] | None, recursive: bool) -> Iterator[str]:
    """Paths, relative to a folder, of what is in it.

    `entries` gives (name, is it a folder) of what is in a folder, whose relative path is empty or
    ends with a slash. Raises ConfigTypeError for a suffix of another type, or of folders.
    """
    if list_dir and suffix is not None:
        raise ConfigTypeError('suffix chooses among files: give it with list_dir=False')
    if suffix is not None and not isinstance(suffix, str | tuple):
        raise ConfigTypeError(f'suffix is a string or a tuple of strings, not {suffix!r}')
    return _walk(entries, '', list_dir, list_file, suffix, recursive)


def _walk(entries: Listing, folder: str, list_dir: bool, list_file: bool,
          suffix: str | tuple[str, ...] | None, recursive: bool) -> Iterator[str]:
    for name, is_folder in entries(folder):
        path = folder + name
        if is_folder:
            if list_dir:
                yield path
            if recursive:
                yield from _walk(entries, f'{path}/', list_dir, list_file, suffix, recursive)
        elif list_file and (suffix is None or path.endswith(suffix)):
            yield path
