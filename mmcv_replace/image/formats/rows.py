"""Read a large image by rows, so that of a TIFF no more is in memory than the rows asked for."""
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...utils.errors import DataError, MissingDataError, UnsupportedImageError
from ..io import imfrombytes
from ..limits import check_pixels
from . import tiff_header as tags
from .tiff import describe, has_tifffile

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

# Compressions without losses, as numbers of the tag: none, LZW, Deflate (two numbers), PackBits.
LOSSLESS = (1, 5, 8, 32946, 32773)


class WholeImage:
    """Rows of an image [H, W, 3] that is decoded as a whole."""

    def __init__(self, img: np.ndarray) -> None:
        self._img = img
        self.height, self.width = img.shape[:2]

    def read(self, top: int, bottom: int) -> np.ndarray:
        """BGR [bottom - top, W, 3]."""
        return self._img[top:bottom]


class SegmentedTiff:
    """Rows of a TIFF, of which only the strips or tiles are decoded that hold them."""

    def __init__(self, file: 'TiffFile', name: str) -> None:
        self._name = name
        self._page: TiffPage = file.pages[0]
        self._source = file.filehandle
        self.height, self.width = self._page.imagelength, self._page.imagewidth
        self._length = _segment_length(self._page)
        self._across = -(-self.width // self._page.tilewidth) if self._page.is_tiled else 1

    def read(self, top: int, bottom: int) -> np.ndarray:
        """BGR [bottom - top, W, 3]."""
        rows = np.zeros((bottom - top, self.width, 3), np.uint8)
        first, last = top // self._length, -(-bottom // self._length)
        for index in range(first * self._across, last * self._across):
            self._place(index, rows, top)
        return rows[..., ::-1]

    def _place(self, index: int, rows: np.ndarray, top: int) -> None:
        page = self._page
        offset, size = page.dataoffsets[index], page.databytecounts[index]
        if not size:  # left out in the file: all zeros
            return
        try:
            self._source.seek(offset)
            segment, (_, _, y, x, _), _ = page.decode(self._source.read(size), index)
        except Exception as error:  # damaged bytes make decoders raise nearly anything
            raise DataError(f'{self._name}: its part {index} cannot be decoded: {error}; fetch or '
                            'make the file again') from error
        part = segment[0, max(top - y, 0):top + len(rows) - y, :self.width - x, :3]
        start = max(y - top, 0)
        rows[start:start + part.shape[0], x:x + part.shape[1]] = part


Rows = WholeImage | SegmentedTiff


@contextmanager
def open_rows(path: str | Path, name: str | None = None) -> Iterator[Rows]:
    """Open an image file: `height`, `width` and BGR rows [bottom - top, W, 3] by `read`.

    TIFFs of 8-bit RGB (and further bands, which are left out) in strips or tiles are read in parts
    where tifffile is installed. Other files are decoded as a whole, as by `imread`. `name` is the
    file in messages. Raises DataError for a file that is damaged, UnsupportedImageError for a TIFF
    of several pages.
    """
    path = Path(path)
    name = name or str(path)
    if not path.is_file():
        raise MissingDataError(f'{name}: there is no such file')
    if not _in_parts(path, name):
        yield WholeImage(imfrombytes(path.read_bytes(), name=name))
        return
    import tifffile
    with tifffile.TiffFile(path) as file:
        if not _is_plain(file.pages[0]):
            yield WholeImage(imfrombytes(path.read_bytes(), name=name))
        else:
            yield SegmentedTiff(file, name)


def _in_parts(path: Path, name: str) -> bool:
    """Whether the file is a TIFF that may be read in parts; checks its pages."""
    with open(path, 'rb') as file:
        if not tags.is_tiff(file.read(4)):
            return False
        # Not closed here: the positions of the strips are views of it, and go with the pages.
        pages = tags.read_pages(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    pictures = [page for page in pages if page.is_picture]
    if len(pictures) > 1:
        raise UnsupportedImageError(f'{name}: {describe(pages)}; which of them is the image is not '
                                    'said: store one image a file')
    for page in pages:
        check_pixels(page.width, page.height)
    end, size = max((page.end for page in pages), default=0), path.stat().st_size
    if end > size:
        raise DataError(f'{name}: the file is truncated: its pixels end at byte {end:,}, the file '
                        f'at {size:,}; fetch or make the file again')
    return (has_tifffile() and len(pages) == 1 and pages[0].photometric == tags.RGB
            and pages[0].bands >= 3 and pages[0].type == 'uint8' and pages[0].orientation == 1
            and pages[0].planar != tags.SEPARATE)


def _is_plain(page: 'TiffPage') -> bool:
    """Whether a page is compressed without losses, by a method at hand, in several parts."""
    import tifffile
    if page.compression not in LOSSLESS or _segment_length(page) >= page.imagelength:
        return False
    try:
        # Some methods, and the differences of neighbours, need imagecodecs.
        return page.compression == 1 or page.compression in tifffile.TIFF.DECOMPRESSORS
    except KeyError:
        return False


def _segment_length(page: 'TiffPage') -> int:
    return page.tilelength if page.is_tiled else page.rowsperstrip
