"""Read files for the doctor: their content, or what is wrong with them."""
import os
from pathlib import Path

from mmcv_replace.fileio import FileClient
from mmcv_replace.image.integrity import find_truncation
from mmcv_replace.utils.errors import DataError, UnsupportedImageError

from ..file_list import is_remote
from .source import Decoding, exists


class BadFile(Exception):
    """A file that cannot be used: the kind of the finding, and details."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


def kind_of(error: DataError) -> str:
    """The kind of the finding where a file cannot be decoded."""
    return 'unsupported' if isinstance(error, UnsupportedImageError) else 'unreadable'


class FileReader:
    """Reads files through the clients of their datasets, which are made on first use."""

    def __init__(self) -> None:
        self._clients: dict[str, FileClient] = {}

    def read(self, path: str, decoding: Decoding) -> bytes:
        """Content of a whole file; BadFile for any other."""
        if not exists(path):
            raise BadFile('missing', _other_case(path))
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
    """Where a file of the same name is, but for the case of its suffix."""
    stem, suffix = os.path.splitext(path)
    for other in (suffix.upper(), suffix.lower()):
        if other != suffix and not is_remote(path) and os.path.exists(stem + other):
            return f'but {Path(stem + other).name} is there: the case of the suffix differs'
    return ''
