"""The size of an image, from the first bytes of its file."""
import mmap
import os
from pathlib import Path

from ...utils.errors import DataError
from ..limits import open_with_pillow
from . import tiff_header as tags
from .array_file import ZIP_STARTS, is_array_file, read_header


def read_size(path: str | os.PathLike) -> tuple[int, int] | None:
    """(height, width) of an image file as it is stored; None where only decoding tells.

    Of an array with bands these are the two longest lengths.
    """
    try:
        with open(path, 'rb') as file:
            start = file.read(8)
            if tags.is_tiff(start):
                return _tiff_size(file.fileno())
            if start.startswith(ZIP_STARTS):
                return None
            if is_array_file(start):
                file.seek(0)
                return _array_size(read_header(file)[0])
        with open_with_pillow(Path(path), limited=False) as img:
            return img.size[::-1]
    except (OSError, ValueError, DataError):  # no image, which reading it will tell
        return None


def _array_size(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) == 2:
        return shape
    return shape[1:] if shape[0] == min(shape) else shape[:2]


def _tiff_size(descriptor: int) -> tuple[int, int] | None:
    # Not closed here: the positions of the strips are views of it, and go with the pages.
    pages = tags.read_pages(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))
    page = next((page for page in pages if page.is_picture), None)
    return None if page is None else (page.height, page.width)
