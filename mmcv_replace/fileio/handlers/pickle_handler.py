"""Pickles, which may run any code when they are read."""
import pickle
from typing import IO, Any

from ...utils.errors import DataError
from .base import BaseFileHandler, name_of


class PickleHandler(BaseFileHandler):
    """Pickles, which are read only where the caller says that they can be trusted."""

    str_like = False

    def load_from_fileobj(self, file: IO, trusted: bool = False, **kwargs: Any) -> Any:
        """The objects in an open file; DataError unless `trusted`."""
        if not trusted:
            raise DataError(f'{name_of(file)} is a pickle, and reading a pickle can run any code: '
                            'pass trusted=True if you made the file yourself')
        return pickle.load(file, **kwargs)

    def dump_to_fileobj(self, obj: Any, file: IO, **kwargs: Any) -> None:
        """Write objects to an open file; `kwargs` are those of `pickle.dump`."""
        pickle.dump(obj, file, **kwargs)

    def dump_to_str(self, obj: Any, **kwargs: Any) -> bytes:
        """The objects as a pickle; `kwargs` are those of `pickle.dumps`."""
        return pickle.dumps(obj, **kwargs)

    def load_from_path(self, filepath: str, mode: str = 'rb', **kwargs: Any) -> Any:
        """The objects in a file on the disk; DataError unless `trusted`."""
        return super().load_from_path(filepath, mode, **kwargs)

    def dump_to_path(self, obj: Any, filepath: str, mode: str = 'wb', **kwargs: Any) -> None:
        """Write objects to a file on the disk."""
        super().dump_to_path(obj, filepath, mode, **kwargs)
