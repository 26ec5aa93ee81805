"""Read a large image by rows, of which no more are in memory than those asked for, if possible."""
import mmap
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from ...utils.errors import DataError, MissingDataError, UnsupportedImageError
from ..io import STORED, imfrombytes
from . import tiff_header as tags
from .array_file import ZIP_STARTS, is_array_file, read_header
from .array_rows import ArrayRows
from .sequential_rows import INSTALL, STARTS, SequentialRows, has_vips, open_sequential
from .tiff import check_flag, converter, has_tifffile, is_converted
from .tiff_rows import SegmentedTiff, is_in_parts


class WholeImage:
    """Rows of an image [H, W] or [H, W, C] that is decoded as a whole."""

    def __init__(self, img: np.ndarray) -> None:
        self._img = img
        self.height, self.width = img.shape[:2]

    def read(self, top: int, bottom: int, left: int = 0, right: int | None = None) -> np.ndarray:
        """The rows from `top` to `bottom`, between two columns."""
        return self._img[top:bottom, left:right]


Rows = WholeImage | SegmentedTiff | ArrayRows | SequentialRows


@contextmanager
def open_rows(path: str | Path, name: str | None = None, flag: str = 'color',
              backend: str | None = None, key: str | None = None,
              channels: int | None = None) -> Iterator[Rows]:
    """Open an image file: `height`, `width`, and by `read` rows with the pixels of `imread`.

    Read in parts are TIFFs in strips or tiles, where tifffile is installed, .npy files, and, from
    top to bottom, PNGs and JPEGs of 8 bits, where pyvips is; others are decoded as a whole, once.
    `name` is the file in messages. `flag`, `backend` and `key` are those of `imfrombytes`. Where
    only the first length of an array is `channels`, its bands come first. Raises DataError for a
    file that is damaged, UnsupportedImageError for one that needs other settings.
    """
    path = Path(path)
    name = name or str(path)
    if not path.is_file():
        raise MissingDataError(f'{name}: there is no such file')

    def whole() -> WholeImage:
        return WholeImage(imfrombytes(path.read_bytes(), flag, backend=backend, name=name, key=key))

    with ExitStack() as stack:
        file = stack.enter_context(open(path, 'rb'))
        start = file.read(8)
        if tags.is_tiff(start):
            yield _tiff_rows(file, name, flag, stack) or whole()
        elif (is_array_file(start) and not start.startswith(ZIP_STARTS) and key is None
              and flag in STORED):
            yield _array_rows(file, name, channels) or whole()
        else:
            yield open_sequential(path, start, flag, name) or whole()


def missing_reader(path: str | Path) -> str | None:
    """How to install what reads the rows of a file, where that is not installed."""
    with open(path, 'rb') as file:
        start = file.read(8)
    sequential = start.startswith(tuple(STARTS))
    absent = sequential and not has_vips() or tags.is_tiff(start) and not has_tifffile()
    return INSTALL if absent else None


def _array_rows(file: IO[bytes], name: str, channels: int | None) -> ArrayRows | None:
    """The rows of an open .npy file; None where columns follow one another."""
    file.seek(0)
    try:
        shape, by_columns, dtype = read_header(file)
    except (UnsupportedImageError, ValueError):  # reading it as a whole tells what is wrong
        return None
    bands_first = len(shape) == 3 and shape[2] != channels == shape[0]
    return None if by_columns else ArrayRows(file, name, shape, dtype, bands_first)


def _tiff_rows(file: IO[bytes], name: str, flag: str, stack: ExitStack) -> SegmentedTiff | None:
    """The rows of an open TIFF, which `stack` closes; None where it is to be read as a whole."""
    # Not closed here: the positions of the strips are views of it, and go with the pages.
    pages = tags.read_pages(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    chosen = [number for number, page in enumerate(pages) if page.is_picture]
    if not _may_be_in_parts([pages[number] for number in chosen], flag):
        return None
    check_flag(pages, flag, name)
    end, size = max(page.end for page in pages), os.fstat(file.fileno()).st_size
    if end > size:
        raise DataError(f'{name}: the file is truncated: its pixels end at byte {end:,}, the file '
                        f'at {size:,}; fetch or make the file again')
    import tifffile
    tiff = stack.enter_context(tifffile.TiffFile(file.name))
    if not all(is_in_parts(tiff.pages[number]) for number in chosen):
        return None
    return SegmentedTiff(tiff, chosen, name, converter(pages[chosen[0]], flag))


def _may_be_in_parts(pictures: list[tags.Page], flag: str) -> bool:
    """Whether the stored bands are what the reader of the whole file would give."""
    return bool(pictures) and has_tifffile() and all(
        (page.photometric == tags.YCBCR or not is_converted(page))
        and page.orientation == 1 and page.bits % 8 == 0
        and page.format in (tags.UNSIGNED, tags.SIGNED, tags.FLOAT)
        and (flag in STORED or page.photometric != tags.WHITE_IS_ZERO) for page in pictures)
