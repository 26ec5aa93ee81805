"""Read the files of a data set, or say what is wrong with them."""
import os
from pathlib import Path

from mmcv_replace.fileio import FileClient
from mmcv_replace.image.integrity import find_truncation
from mmcv_replace.utils.errors import DataError, UnsupportedImageError

from ..file_list import is_remote
from .source import Decoding


class BadFile(Exception):
    """A file that cannot be used: the kind of the finding, and details."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail

    @classmethod
    def because_of(cls, error: DataError, path: str) -> 'BadFile':
        """The finding for an error of decoding the file."""
        kind = 'unsupported' if isinstance(error, UnsupportedImageError) else 'unreadable'
        return cls(kind, str(error).removeprefix(f'{path}: '))


class FileReader:
    """Reads files through the file clients of their data sets, which are made on first use."""

    def __init__(self) -> None:
        self._clients: dict[str, FileClient] = {}

    def read(self, path: str, decoding: Decoding) -> bytes | None:
        """Content of a whole file; None where a step of the user's own reads it.

        Raises BadFile where it does not exist, cannot be read or is cut off.
        """
        if not is_remote(path) and not os.path.exists(path):
            raise BadFile('missing', _other_case(path) if decoding.known else '')
        if not decoding.known:
            return None
        options = decoding.client or {'backend': 'disk'}
        key = repr(options)
        if key not in self._clients:
            self._clients[key] = FileClient(**options)
        try:
            content = self._clients[key].get(path)
        except (DataError, OSError) as error:
            raise BadFile('unreadable', str(error)) from error
        lack = find_truncation(content)
        if lack is not None:
            raise BadFile('truncated', lack)
        return content


def _other_case(path: str) -> str:
    """Where a file of the same name is, except for the case of its suffix."""
    stem, suffix = os.path.splitext(path)
    for other in (suffix.upper(), suffix.lower()):
        if other != suffix and os.path.exists(stem + other):
            return f'but {Path(stem + other).name} is there: the case of the suffix differs'
    return ''
