"""Rows of a TIFF, of which only the strips or tiles are decoded that hold them."""
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...utils.errors import DataError
from .tiff_header import SEPARATE, YCBCR

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

# Compressions without losses, as numbers of the tag: none, LZW, Deflate (two numbers), PackBits,
# LZMA, Zstandard.
LOSSLESS = (1, 5, 8, 32946, 32773, 34925, 50000)
JPEG = 7  # whose pixels are the same by all libraries, which give red, green and blue
# Pixels that are stored as they are, row by row, are read as strips of this length, as they often
# are one strip.
FLAT_ROWS = 64

# Pixels [rows, columns, bands] of a strip or tile, its first band, and where it begins: y, x.
Decoded = tuple[np.ndarray, int, int, int]


class SegmentedTiff:
    """Rows of a TIFF in strips or tiles.

    The bands of the image are those of the page, or one of each of several pages. `convert` makes
    of them, [rows, columns] or [rows, columns, bands], what the flag of the reader asks for; parts
    that the file leaves out are `fill`.
    """

    def __init__(self, file: 'TiffFile', pages: Sequence[int], name: str,
                 convert: Callable[[np.ndarray], np.ndarray], fill: float = 0) -> None:
        self._name = name
        self._pages: list[TiffPage] = [file.pages[number] for number in pages]
        self._source = file.filehandle
        self._convert = convert
        self._fill = fill
        first = self._pages[0]
        self.height, self.width = first.imagelength, first.imagewidth
        self._bands = len(self._pages) * first.samplesperpixel
        # Segments that reach below the rows that were read last, decoded.
        self._kept: dict[tuple[int, int], Decoded] = {}

    def read(self, top: int, bottom: int, left: int = 0, right: int | None = None) -> np.ndarray:
        """The rows from `top` to `bottom`, between two columns."""
        right = self.width if right is None else right
        block = np.full((bottom - top, right - left, self._bands), self._fill,
                        self._pages[0].dtype.newbyteorder('='))
        kept, self._kept = self._kept, {}
        for number, page in enumerate(self._pages):
            for index in _segments(page, (top, bottom), (left, right)):
                found = kept.get((number, index)) or self._decode(page, index)
                if found is None:
                    continue
                segment, plane, y, x = found
                _paste(segment, block[..., number + plane:], y - top, x - left)
                if y + len(segment) > bottom:
                    self._kept[number, index] = found
        return self._convert(block[..., 0] if self._bands == 1 else block)

    def _decode(self, page: 'TiffPage', index: int) -> Decoded | None:
        """A segment and its place; None for one that the file leaves out."""
        if _is_flat(page):
            return self._read_flat(page, index)
        offset, size = page.dataoffsets[index], page.databytecounts[index]
        if not size:
            return None
        try:
            self._source.seek(offset)
            content = self._source.read(size)  # now: `page.decode` may move in the file
            segment, (plane, _, y, x, _), _ = page.decode(content, index,
                                                          jpegtables=page.jpegtables)
        except Exception as error:  # damaged bytes make decoders raise nearly anything
            raise DataError(f'{self._name}: its part {index} cannot be decoded: {error}; fetch or '
                            'make the file again') from error
        return segment[0], plane, y, x

    def _read_flat(self, page: 'TiffPage', index: int) -> Decoded:
        plane, strip = divmod(index, _parts_down(page))
        y = strip * FLAT_ROWS
        shape = (min(FLAT_ROWS, page.imagelength - y), page.imagewidth,
                 page.samplesperpixel // _planes(page))
        dtype = page.dtype.newbyteorder(page.parent.byteorder)
        row = math.prod(shape[1:]) * dtype.itemsize
        self._source.seek(page.dataoffsets[0] + (plane * page.imagelength + y) * row)
        content = self._source.read(shape[0] * row)
        if len(content) < shape[0] * row:
            raise DataError(f'{self._name}: the file is truncated in row {y}; fetch or make the '
                            'file again')
        return np.frombuffer(content, dtype).reshape(shape), plane, y, 0


def _paste(segment: np.ndarray, block: np.ndarray, y: int, x: int) -> None:
    """Copy what a block [rows, columns, bands] shows of a segment that lies at (y, x) in it."""
    down, across = max(y, 0), max(x, 0)
    part = segment[down - y:len(block) - y, across - x:block.shape[1] - x]
    block[down:down + part.shape[0], across:across + part.shape[1], :part.shape[2]] = part


def is_in_parts(page: 'TiffPage') -> bool:
    """Whether a page is compressed by a known method, which is at hand, in several parts."""
    import tifffile
    whole = page.imagewidth if page.is_tiled else 0
    known = page.compression == JPEG or (
        page.compression in LOSSLESS and page.photometric != YCBCR)
    if not known or (
            _segment_length(page) >= page.imagelength and page.tilewidth >= whole):
        return False
    try:
        # Some methods, and the differences of neighbours, need imagecodecs.
        return all(number == 1 or number in methods for number, methods in (
            (page.compression, tifffile.TIFF.DECOMPRESSORS),
            (page.predictor, tifffile.TIFF.UNPREDICTORS)))
    except KeyError:
        return False


def _segments(page: 'TiffPage', rows: tuple[int, int], columns: tuple[int, int]) -> Iterator[int]:
    """Numbers of the strips or tiles that hold rows and columns."""
    length = _segment_length(page)
    width = page.tilewidth if page.is_tiled else page.imagewidth
    down, across = _parts_down(page), -(-page.imagewidth // width)
    for plane in range(_planes(page)):
        for row in range(rows[0] // length, -(-rows[1] // length)):
            for column in range(columns[0] // width, -(-columns[1] // width)):
                yield (plane * down + row) * across + column


def _parts_down(page: 'TiffPage') -> int:
    return -(-page.imagelength // _segment_length(page))


def _segment_length(page: 'TiffPage') -> int:
    if page.is_tiled:
        return page.tilelength
    return FLAT_ROWS if _is_flat(page) else page.rowsperstrip


def _planes(page: 'TiffPage') -> int:
    return page.samplesperpixel if page.planarconfig == SEPARATE else 1


def _is_flat(page: 'TiffPage') -> bool:
    return page.is_final and not page.is_tiled
