"""Files wherever fsspec reaches: s3://, oss://, gs://, hdfs://, memory:// and many more."""
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...utils.errors import ConfigError, DataError, MissingDataError, MissingModuleError
from ...utils.misc.optional import import_optional
from .base import RemoteBackend, list_tree
from .mapping import check_mapping, join_address, map_path

# Names under which file systems tell when a file was changed, or a mark of its content.
CHANGES = ('mtime', 'ETag', 'etag', 'LastModified', 'last_modified', 'updated', 'modified',
           'modificationTime', 'md5Hash', 'created')
INSTALL = "pip install 'mmseg-ascend[fsspec]'"


class FsspecBackend(RemoteBackend):
    """Files by the package `fsspec` and the package that it needs for a protocol.

    `protocol`, such as 's3', is that of paths which do not name theirs; without it they are on the
    disk. `path_mapping` turns local paths into addresses. Other arguments are those of fsspec's
    file system, such as `endpoint_url`.
    """

    has_stamps = True

    def __init__(self, protocol: str | None = None, path_mapping: Mapping[str, str] | None = None,
                 **storage_options: Any) -> None:
        self.protocol = protocol
        self.path_mapping = check_mapping(path_mapping)
        self.storage_options = storage_options
        self._fsspec = import_optional('fsspec', 'the file backend fsspec', INSTALL)
        if protocol is not None:
            self._check_protocol(protocol)

    def get(self, filepath: str | Path) -> bytes:
        """Content of a file; DataError where it cannot be read."""
        system, path = self._find(filepath)
        try:
            return system.cat_file(path)
        except FileNotFoundError as error:
            raise MissingDataError(f'cannot read {filepath}: there is no such file') from error
        except Exception as error:  # each package has errors of its own
            raise DataError(f'cannot read {filepath}: {type(error).__name__}: {error}') from error

    def stamp(self, filepath: str | Path) -> str:
        """Size and time of change of a file, or what the place has for it, such as an ETag.

        DataError where the file does not exist, and where there is nothing of the kind.
        """
        system, path = self._find(filepath)
        try:
            facts = system.info(path)
        except FileNotFoundError as error:
            raise MissingDataError(f'cannot read {filepath}: there is no such file') from error
        except Exception as error:  # each package has errors of its own
            raise DataError(f'cannot read {filepath}: {type(error).__name__}: {error}') from error
        known = [str(facts[name]) for name in CHANGES if facts.get(name) is not None]
        if not known:
            raise DataError(f'{filepath}: the file system tells no time of change, only '
                            f'{", ".join(facts)}')
        return ' '.join([str(facts.get('size')), *known])

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file; its folder is created where the place needs folders."""
        system, path = self._find(filepath)
        try:
            system.pipe_file(path, bytes(obj))
        except FileNotFoundError:
            system.makedirs(path.rpartition('/')[0], exist_ok=True)
            system.pipe_file(path, bytes(obj))

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write a text file."""
        self.put(obj.encode(encoding), filepath)

    def remove(self, filepath: str | Path) -> None:
        """Delete a file."""
        system, path = self._find(filepath)
        system.rm_file(path)

    def exists(self, filepath: str | Path) -> bool:
        """Whether there is a file or folder."""
        system, path = self._find(filepath)
        return system.exists(path)

    def isdir(self, filepath: str | Path) -> bool:
        """Whether there is a folder."""
        system, path = self._find(filepath)
        return system.isdir(path)

    def isfile(self, filepath: str | Path) -> bool:
        """Whether there is a file."""
        system, path = self._find(filepath)
        return system.isfile(path)

    def join_path(self, filepath: str | Path, *filepaths: str | Path) -> str:
        """An address from its parts."""
        return join_address(map_path(filepath, self.path_mapping), *map(str, filepaths))

    def list_dir_or_file(self, dir_path: str | Path, list_dir: bool = True, list_file: bool = True,
                         suffix: str | tuple[str, ...] | None = None, recursive: bool = False,
                         ) -> Iterator[str]:
        """Relative paths of the folders, and of the files that are not hidden, in a folder."""
        system, root = self._find(dir_path)

        def entries(folder: str) -> Iterator[tuple[str, bool]]:
            found = system.ls(f'{root.rstrip("/")}/{folder}'.rstrip('/'), detail=True)
            for entry in sorted(found, key=lambda entry: entry['name']):
                name = entry['name'].rstrip('/').rpartition('/')[2]
                is_folder = entry['type'] == 'directory'
                if is_folder or not name.startswith('.'):
                    yield name, is_folder

        return list_tree(entries, list_dir, list_file, suffix, recursive)

    def _find(self, filepath: str | Path) -> tuple[Any, str]:
        """The file system of a path, and the path in it."""
        path = map_path(filepath, self.path_mapping)
        head, found, _ = path.partition('://')
        if not found and self.protocol is not None:
            path = f'{self.protocol}://{path}'
        elif ':' in head:  # the name of a cluster precedes the protocol
            path = path.partition(':')[2]
        self._check_protocol(path.partition('://')[0] if '://' in path else 'file')
        # Asked for each time: fsspec keeps the file systems, one for each process and thread.
        return self._fsspec.core.url_to_fs(path, **self.storage_options)

    def _check_protocol(self, protocol: str) -> None:
        try:
            self._fsspec.get_filesystem_class(protocol)
        except ImportError as error:
            raise MissingModuleError(f'{protocol}:// needs a further package: {error}') from error
        except ValueError as error:
            raise ConfigError(f'fsspec does not know {protocol}:// ({error}): register a backend '
                              'for it with FileClient.register_backend') from error
