"""Read the bytes of files from the disk, the network, or a backend of the user's."""
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..utils.errors import ConfigError, DataError
from ..utils.signature import check_arguments


def read_bytes(path: str | Path, what: str = '') -> bytes:
    """Content of a file; DataError, in which `what` precedes its name, where it cannot be read."""
    try:
        with open(path, 'rb') as file:
            return file.read()
    except (OSError, ValueError) as error:  # the latter for a NUL in the name
        reason = getattr(error, 'strerror', None) or error
        raise DataError(f'cannot read {what}{path}: {reason}') from error


def decode_text(content: bytes, name: str | Path, encoding: str = 'utf-8-sig') -> str:
    """The UTF-8 text in the content of a file, without a byte-order mark; DataError for others."""
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f'{name} is not a UTF-8 text file: {error}') from error


class BaseStorageBackend(ABC):
    """Base class of the backends, which implement `get`."""

    @abstractmethod
    def get(self, filepath: str | Path) -> bytes:
        """Content of a file."""

    def get_text(self, filepath: str | Path) -> str:
        """Content of a UTF-8 text file."""
        return decode_text(self.get(filepath), filepath, 'utf-8')


class HardDiskBackend(BaseStorageBackend):
    """Files on the disks of this machine."""

    def get(self, filepath: str | Path) -> bytes:
        """Content of a file; DataError where it cannot be read."""
        return read_bytes(filepath)


class HTTPBackend(BaseStorageBackend):
    """Files at http:// and https:// addresses."""

    def __init__(self, timeout: float = 60) -> None:
        self.timeout = timeout  # seconds without an answer

    def get(self, filepath: str | Path) -> bytes:
        """Content of a URL; DataError where it cannot be fetched."""
        from http.client import HTTPException
        from urllib.request import urlopen
        url = str(filepath)
        if not url.startswith(('http://', 'https://')):
            raise DataError(f'the http backend reads http:// and https:// addresses, not {url!r}')
        try:
            with urlopen(url, timeout=self.timeout) as answer:
                return answer.read()
        except (OSError, HTTPException, ValueError) as error:  # the last for a malformed address
            raise DataError(f'cannot fetch {url}: {error}') from error


class FileClient:
    """Reads files through the backend of a name, which is created with `kwargs`."""

    backends: dict[str, type[BaseStorageBackend]] = {'disk': HardDiskBackend, 'http': HTTPBackend}

    def __init__(self, backend: str = 'disk', **kwargs: Any) -> None:
        if not isinstance(backend, str) or backend not in self.backends:
            raise ConfigError(f'unknown file backend {backend!r}: choose '
                              f'{", ".join(self.backends)}, or register yours with '
                              'FileClient.register_backend')
        check_arguments(f'file backend {backend!r}', self.backends[backend], kwargs)
        self.client = self.backends[backend](**kwargs)

    @classmethod
    def register_backend(cls, name: str, backend: type[BaseStorageBackend] | None = None,
                         force: bool = False) -> Callable[[type], type] | type:
        """Register a backend class; without `backend` the result is a class decorator.

        Raises ConfigError for a name that is taken, unless `force` replaces its backend.
        """
        if name in cls.backends and not force:
            raise ConfigError(f'file backend {name!r} exists already '
                              f'({cls.backends[name].__qualname__}); replace it with force=True')

        def enter(target: type[BaseStorageBackend]) -> type[BaseStorageBackend]:
            cls.backends[name] = target
            return target

        return enter if backend is None else enter(backend)

    def get(self, filepath: str | Path) -> bytes:
        """Content of a file."""
        return self.client.get(filepath)

    def get_text(self, filepath: str | Path) -> str:
        """Content of a UTF-8 text file."""
        return self.client.get_text(filepath)
