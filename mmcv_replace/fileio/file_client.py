"""One interface for files on the disk, the network, or a backend of the user's."""
import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ..utils.checks.signature import check_arguments
from ..utils.errors import ConfigError, ConfigKeyError, ConfigTypeError
from ..utils.misc.optional import has_package
from .backends.base import BaseStorageBackend
from .backends.ceph import CephBackend
from .backends.disk import HardDiskBackend
from .backends.fsspec import FsspecBackend
from .backends.http import HTTPBackend
from .backends.lmdb import LmdbBackend
from .backends.memcached import MemcachedBackend
from .backends.petrel import PetrelBackend


class FileClient:
    """Files through a backend, chosen by its name or by the prefix of addresses, such as 's3'.

    `kwargs` are the backend's arguments. The same arguments give the same object. The backend of
    's3' is petrel where its client is installed; for prefixes without a backend fsspec is asked.
    """

    backends: dict[str, type[BaseStorageBackend]] = {
        'disk': HardDiskBackend, 'http': HTTPBackend, 'lmdb': LmdbBackend,
        'memcached': MemcachedBackend, 'ceph': CephBackend, 'petrel': PetrelBackend,
        'fsspec': FsspecBackend}
    # The names that mmcv has for these tables.
    _backends = backends
    _prefix_to_backends: dict[str, type[BaseStorageBackend]] = {
        'http': HTTPBackend, 'https': HTTPBackend, 's3': PetrelBackend}
    _instances: dict[str, 'FileClient'] = {}

    client: BaseStorageBackend

    def __new__(cls, backend: str | None = None, prefix: str | None = None,
                **kwargs: Any) -> 'FileClient':
        kind, label, found = _choose(cls, backend, prefix)
        key = f'{label} {sorted(kwargs.items())!r}'
        shared = cls._instances.get(key)
        # A backend that replaced another one under its name gets an object of its own.
        if shared is None or type(shared.client) is not kind:
            check_arguments(f'file backend {label!r}', kind, kwargs)
            shared = super().__new__(cls)
            shared.client = kind(**found, **kwargs)
            shared._arguments = dict(kwargs, backend=backend, prefix=prefix)
            cls._instances[key] = shared
        return shared

    def __reduce__(self) -> tuple[Callable, tuple]:
        return functools.partial(type(self), **self._arguments), ()

    @property
    def name(self) -> str:
        """Name of the backend."""
        return self.client.name

    @property
    def allow_symlink(self) -> bool:
        """Whether a symbolic link to a file can be made."""
        return self.client.allow_symlink

    @staticmethod
    def parse_uri_prefix(uri: str | Path) -> str | None:
        """'s3' of 's3://bucket/file' and of 'cluster:s3://bucket/file', None of a plain path."""
        if not isinstance(uri, str | Path):
            raise ConfigTypeError(f'a path is a string or a pathlib.Path, not {uri!r}')
        prefix, found, _ = str(uri).partition('://')
        return prefix.rpartition(':')[2] if found else None

    @classmethod
    def infer_client(cls, file_client_args: dict[str, Any] | None = None,
                     uri: str | Path | None = None) -> 'FileClient':
        """The client of `file_client_args`; without them that of the prefix of `uri`."""
        if file_client_args is not None:
            return cls(**file_client_args)
        return cls(prefix=cls.parse_uri_prefix(uri))

    @classmethod
    def register_backend(cls, name: str, backend: type[BaseStorageBackend] | None = None,
                         force: bool = False, prefixes: str | Sequence[str] | None = None,
                         ) -> Callable[[type], type] | None:
        """Register a backend class; without `backend` the result is a class decorator.

        `prefixes` are those of addresses that it serves. Raises ConfigKeyError for a name or a
        prefix that is taken, unless `force` replaces its backend.
        """
        if backend is not None:
            _register(cls, name, backend, force, prefixes)
            return None

        def enter(target: type[BaseStorageBackend]) -> type[BaseStorageBackend]:
            _register(cls, name, target, force, prefixes)
            return target

        return enter

    def get(self, filepath: str | Path) -> bytes | memoryview:
        """Content of a file."""
        return self.client.get(filepath)

    @property
    def has_stamps(self) -> bool:
        """Whether `stamp` tells that a file was changed."""
        return self.client.has_stamps

    def stamp(self, filepath: str | Path) -> str:
        """A text of size and time that is another one after a change of the file."""
        return self.client.stamp(filepath)

    def get_text(self, filepath: str | Path, encoding: str = 'utf-8') -> str:
        """Content of a text file."""
        # A backend written for an early mmcv has no parameter for the encoding.
        options = () if encoding == 'utf-8' else (encoding,)
        return self.client.get_text(filepath, *options)

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file."""
        self.client.put(obj, filepath)

    def put_text(self, obj: str, filepath: str | Path) -> None:
        """Write a text file in UTF-8."""
        self.client.put_text(obj, filepath)

    def remove(self, filepath: str | Path) -> None:
        """Delete a file."""
        self.client.remove(filepath)

    def exists(self, filepath: str | Path) -> bool:
        """Whether there is a file or folder."""
        return self.client.exists(filepath)

    def isdir(self, filepath: str | Path) -> bool:
        """Whether there is a folder."""
        return self.client.isdir(filepath)

    def isfile(self, filepath: str | Path) -> bool:
        """Whether there is a file."""
        return self.client.isfile(filepath)

    def join_path(self, filepath: str | Path, *filepaths: str | Path) -> str:
        """A path from its parts."""
        return self.client.join_path(filepath, *filepaths)

    def get_local_path(self, filepath: str | Path) -> AbstractContextManager[str | Path]:
        """Context manager for the path of the file, or of a temporary copy, on this machine."""
        return self.client.get_local_path(filepath)

    def list_dir_or_file(self, dir_path: str | Path, list_dir: bool = True, list_file: bool = True,
                         suffix: str | tuple[str, ...] | None = None, recursive: bool = False,
                         ) -> Iterator[str]:
        """Relative paths of what is in a folder; `suffix` chooses among its files."""
        return self.client.list_dir_or_file(dir_path, list_dir, list_file, suffix, recursive)


def is_remote(path: str | Path, file_client_args: dict[str, Any] | None = None) -> bool:
    """Whether a FileClient is needed for a path: it is an address, or its backend is named."""
    return file_client_args is not None or '://' in str(path)


def _choose(cls: type[FileClient], backend: str | None, prefix: str | None,
            ) -> tuple[type[BaseStorageBackend], str, dict[str, str]]:
    """The class of a backend, its name in messages, and arguments that the prefix implies."""
    if backend is None and prefix is None:
        backend = 'disk'
    if backend is not None:
        if not isinstance(backend, str) or backend not in cls.backends:
            raise ConfigError(f'unknown file backend {backend!r}: choose '
                              f'{", ".join(cls.backends)}, or register yours with '
                              'FileClient.register_backend')
        return cls.backends[backend], backend, {}
    label = f'{prefix}://'
    found = cls._prefix_to_backends.get(prefix)
    if found is None or found is PetrelBackend and not has_package('petrel_client.client'):
        return FsspecBackend, label, {'protocol': prefix}
    return found, label, {}


def _register(cls: type[FileClient], name: str, backend: type[BaseStorageBackend], force: bool,
              prefixes: str | Sequence[str] | None) -> None:
    if not isinstance(name, str):
        raise ConfigTypeError(f'the name of a file backend is a string, not {name!r}')
    if not isinstance(backend, type) or not issubclass(backend, BaseStorageBackend):
        raise ConfigTypeError(f'file backend {name!r}: {backend!r} is no subclass of '
                              'BaseStorageBackend')
    prefixes = [prefixes] if isinstance(prefixes, str) else prefixes or ()
    if not isinstance(prefixes, Sequence):
        raise ConfigTypeError(f'file backend {name!r}: prefixes is a string or a list of them, '
                              f'not {prefixes!r}')
    for what, key, table in (('file backend', name, cls.backends),
                             *(('prefix', prefix, cls._prefix_to_backends) for prefix in prefixes)):
        if key in table and not force:
            raise ConfigKeyError(f'{what} {key!r} exists already ({table[key].__qualname__}); '
                                 'replace it with force=True')
    cls.backends[name] = backend
    cls._prefix_to_backends.update(dict.fromkeys(prefixes, backend))
