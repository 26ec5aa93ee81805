"""What all handlers of file formats have in common."""
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from ...utils.errors import DataError
from ..backends.base import decode_text


class BaseFileHandler(ABC):
    """Base class of the handlers, which read and write one format."""

    # Whether the format is a text; otherwise it is bytes.
    str_like = True

    @abstractmethod
    def load_from_fileobj(self, file: IO, **kwargs: Any) -> Any:
        """The data in an open file."""

    @abstractmethod
    def dump_to_fileobj(self, obj: Any, file: IO, **kwargs: Any) -> None:
        """Write data to an open file."""

    @abstractmethod
    def dump_to_str(self, obj: Any, **kwargs: Any) -> str | bytes:
        """The text or the bytes of a file with the data."""

    def load_from_path(self, filepath: str, mode: str = 'r', **kwargs: Any) -> Any:
        """The data in a file on the disk, opened with `mode`."""
        with open(filepath, mode, encoding=None if 'b' in mode else 'utf-8') as file:
            return self.load_from_fileobj(file, **kwargs)

    def dump_to_path(self, obj: Any, filepath: str, mode: str = 'w', **kwargs: Any) -> None:
        """Write data to a file on the disk, opened with `mode`."""
        with open(filepath, mode, encoding=None if 'b' in mode else 'utf-8') as file:
            self.dump_to_fileobj(obj, file, **kwargs)


def name_of(file: IO) -> str:
    """Name of an open file in messages."""
    return str(getattr(file, 'name', 'the data'))


def read_text(file: IO) -> str:
    """All text of a file that is open for text or bytes, without a byte-order mark."""
    content = file.read()
    text = content if isinstance(content, str) else decode_text(content, name_of(file))
    return text.removeprefix('\ufeff')


@contextmanager
def parsing(name: str, file_format: str) -> Iterator[None]:
    """Turn errors of a parser into DataError, in which `name` is the source."""
    try:
        yield
    except RecursionError as error:
        raise DataError(f'{name}: the data are nested too deeply') from error
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f'{name} is not valid {file_format}: {error}; correct it, or fetch or '
                        'write it again') from error
