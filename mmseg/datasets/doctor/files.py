"""Read the files of a data set, or note what is wrong with them."""
import os
from pathlib import Path

from mmcv_replace.image.integrity import find_truncation
from mmcv_replace.utils.errors import DataError

from ..listing.file_list import is_remote
from ..pipelines.loading import FileLoader
from .findings import Diagnosis


def read_file(path: str, step: FileLoader | None, found: Diagnosis) -> bytes | None:
    """Content of a whole file by the client of the step that loads it; None without a step.

    None, with a finding, where the file does not exist, cannot be read or is cut off.
    """
    if not is_remote(path) and not os.path.exists(path):
        found.add('missing', path, '' if step is None else _other_case(path))
        return None
    if step is None:
        return None
    client = step.client
    try:
        content = bytes(client.get(path))  # some backends give a memoryview
    except (DataError, OSError) as error:
        found.add('unreadable', path, str(error))
        return None
    lack = find_truncation(content)
    if lack is not None:
        found.add('truncated', path, lack)
        return None
    return content


def _other_case(path: str) -> str:
    """Where a file of the same name is, except for the case of its suffix."""
    stem, suffix = os.path.splitext(path)
    for other in (suffix.upper(), suffix.lower()):
        if other != suffix and os.path.exists(stem + other):
            return f'but {Path(stem + other).name} is there: the case of the suffix differs'
    return ''
