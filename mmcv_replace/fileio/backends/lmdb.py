"""Files as values of an LMDB database, under their names as keys."""
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from ...utils.errors import MissingDataError
from ...utils.misc.optional import import_optional
from .base import BaseStorageBackend


def _import() -> ModuleType:
    return import_optional('lmdb', 'the file backend lmdb', 'pip install lmdb')


class LmdbBackend(BaseStorageBackend):
    """Values of an LMDB database at `db_path`; the other arguments are those of `lmdb.open`."""

    def __init__(self, db_path: str | Path, readonly: bool = True, lock: bool = False,
                 readahead: bool = False, **kwargs: Any) -> None:
        self._lmdb = _import()
        self.db_path = str(db_path)
        self.options = dict(readonly=readonly, lock=lock, readahead=readahead, **kwargs)
        self._client: Any = None
        self._process = 0

    def get(self, filepath: str | Path) -> bytes:
        """The value of a key; DataError for a key that is not there."""
        with self._open().begin(write=False) as transaction:
            value = transaction.get(str(filepath).encode('utf-8'))
        if value is None:
            raise MissingDataError(f'cannot read {filepath}: the LMDB database {self.db_path} has '
                                   'no such key')
        return value

    def get_text(self, filepath: str | Path, encoding: str | None = None) -> str:
        """NotImplementedError, as in mmcv: values are bytes."""
        raise NotImplementedError('an LMDB database holds bytes: decode what get() returns')

    def _open(self) -> Any:
        # LMDB forbids the use of an open database in a forked process, such as a data worker.
        if self._client is not None and self._process != os.getpid():
            self._client.close()  # of this process alone
            self._client = None
        if self._client is None:
            self._client = self._lmdb.open(self.db_path, **self.options)
            self._process = os.getpid()
        return self._client

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), '_client': None, '_lmdb': None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lmdb=_import())
