"""Files in the object stores that a petrel client reaches."""
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...utils.errors import MissingDataError
from ...utils.misc.optional import import_optional
from .base import RemoteBackend, decode_text, list_tree
from .mapping import check_mapping, join_address, map_path

_REMEDY = 'install the client of your cluster, or choose the backend fsspec'


class PetrelBackend(RemoteBackend):
    """Files by the package `petrel_client`.

    `path_mapping` turns local paths into addresses, `enable_mc` uses the cluster's memory as a
    cache, `conf_path` is the client's settings.
    """

    def __init__(self, path_mapping: Mapping[str, str] | None = None, enable_mc: bool = True,
                 conf_path: str | None = None) -> None:
        self.path_mapping = check_mapping(path_mapping)
        client = import_optional('petrel_client.client', 'the file backend petrel', _REMEDY)
        options = {} if conf_path is None else {'conf_path': conf_path}
        self._client = client.Client(**options, enable_mc=enable_mc)

    def get(self, filepath: str | Path) -> memoryview:
        """Content of a file; DataError where there is none."""
        content = self._client.Get(self._address(filepath))
        if content is None:
            raise MissingDataError(f'cannot read {filepath}: the object store has no such file')
        return memoryview(content)

    def get_text(self, filepath: str | Path, encoding: str = 'utf-8') -> str:
        """Content of a text file."""
        return decode_text(self.get(filepath), filepath, encoding)

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file."""
        self._client.put(self._address(filepath), obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write a text file."""
        self.put(obj.encode(encoding), filepath)

    def remove(self, filepath: str | Path) -> None:
        """Delete a file."""
        self._call('delete', filepath)

    def exists(self, filepath: str | Path) -> bool:
        """Whether there is a file or folder."""
        return self._call('contains', filepath) or self._call('isdir', filepath)

    def isdir(self, filepath: str | Path) -> bool:
        """Whether there is a folder."""
        return self._call('isdir', filepath)

    def isfile(self, filepath: str | Path) -> bool:
        """Whether there is a file."""
        return self._call('contains', filepath)

    def join_path(self, filepath: str | Path, *filepaths: str | Path) -> str:
        """An address from its parts."""
        return join_address(self._address(filepath), *map(str, filepaths))

    def list_dir_or_file(self, dir_path: str | Path, list_dir: bool = True, list_file: bool = True,
                         suffix: str | tuple[str, ...] | None = None, recursive: bool = False,
                         ) -> Iterator[str]:
        """Relative paths of the folders and files in a folder."""
        root = self._address(dir_path).rstrip('/') + '/'

        def entries(folder: str) -> Iterator[tuple[str, bool]]:
            for name in self._method('list')(root + folder):
                # A folder may be an object of its own, which has no name.
                if name.strip('/'):
                    yield name.rstrip('/'), name.endswith('/')

        return list_tree(entries, list_dir, list_file, suffix, recursive)

    def _map_path(self, filepath: str | Path) -> str:
        return map_path(filepath, self.path_mapping)

    def _format_path(self, filepath: str) -> str:
        """With slashes, where Windows has joined an address with backslashes."""
        return re.sub(r'\\+', '/', filepath)

    def _address(self, filepath: str | Path) -> str:
        return self._format_path(self._map_path(filepath))

    def _call(self, name: str, filepath: str | Path) -> Any:
        return self._method(name)(self._address(filepath))

    def _method(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name, None)
        if method is None:
            raise NotImplementedError(f'this version of petrel_client lacks Client.{name}: install '
                                      'one that has it')
        return method
