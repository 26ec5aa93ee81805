"""Read the header of a TIFF: its pages, their bands, bits and meaning, without their pixels.

Source: TIFF 6.0, and the BigTIFF design for 64-bit offsets.
"""
import struct
from dataclasses import dataclass, field

import numpy as np

from ...utils.errors import UnsupportedImageError

STARTS = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
ALPHA = (1, 2)  # values of the tag ExtraSamples: alpha multiplied into the colours, or not
SEPARATE = 2
# Bits of the tag NewSubfileType: a reduced copy, and a transparency mask.
NO_PICTURE = 0b101
# Of all pages together, enough for ten thousand pages. A damaged file may list pages repeatedly.
MAX_ENTRIES = 2**18

# NumPy's types of the values of tags, without those that no tag here has.
_TYPES = {1: 'u1', 3: 'u2', 4: 'u4', 6: 'i1', 8: 'i2', 9: 'i4', 13: 'u4', 16: 'u8', 17: 'i8',
          18: 'u8'}
_KINDS = {1: 'uint', 2: 'int', 3: 'float', 5: 'complex int', 6: 'complex'}
_NAMES = {
    254: 'subfile', 256: 'width', 257: 'height', 258: 'bits', 262: 'photometric', 273: 'offsets',
    274: 'orientation', 277: 'bands', 279: 'sizes', 284: 'planar', 324: 'offsets', 325: 'sizes',
    338: 'extra', 339: 'format'}


@dataclass(frozen=True)
class Page:
    """The tags of one page that matter here."""

    width: int
    height: int
    bands: int = 1
    bits: int = 1
    format: int = UNSIGNED
    photometric: int = BLACK_IS_ZERO
    planar: int = 1
    extra: int = 0  # meaning of the first band after the colours, 0 where that is not said
    orientation: int = 1
    subfile: int = 0
    # Positions of the strips or tiles in the file, and their sizes in bytes.
    offsets: np.ndarray | None = field(default=None, compare=False)
    sizes: np.ndarray | None = field(default=None, compare=False)

    @property
    def type(self) -> str:
        """Type of the values, such as uint16."""
        return f'{_KINDS.get(self.format, "unknown")}{self.bits}'

    @property
    def is_picture(self) -> bool:
        return not self.subfile & NO_PICTURE

    @property
    def end(self) -> int:
        """Position after the last of its pixels in the file; 0 where that is not known."""
        if self.offsets is None or self.sizes is None or len(self.offsets) != len(self.sizes):
            return 0
        return int((self.offsets.astype(np.uint64) + self.sizes.astype(np.uint64)).max())


def is_tiff(content: bytes) -> bool:
    return content[:4] in STARTS


def read_pages(content: bytes) -> list[Page]:
    """The pages of a TIFF in order; an empty list if the first cannot be read.

    Raises UnsupportedImageError for more than `MAX_ENTRIES`, and ValueError where the list breaks
    off after several pages. After a single page any bytes may follow.
    """
    order = '<' if content[:1] == b'I' else '>'
    big = content[2:4] in (b'+\0', b'\0+')
    pages: list[Page] = []
    entries = 0
    seen = {0}  # the last page has 0 as the offset of the next one
    try:
        offset, = struct.unpack_from(order + ('Q' if big else 'I'), content, 8 if big else 4)
        while offset not in seen:
            seen.add(offset)
            count, = struct.unpack_from(order + ('Q' if big else 'H'), content, offset)
            if count > len(content):
                raise ValueError('more entries than bytes')
            entries += count
            if entries > MAX_ENTRIES:
                raise UnsupportedImageError(f'a TIFF of {len(pages):,} pages and more: store one '
                                            'image a file')
            page, offset = _read_page(content, offset, count, order, big)
            pages.append(page)
    except UnsupportedImageError:
        raise
    except (struct.error, OverflowError, ValueError) as error:
        if len(pages) > 1:
            raise ValueError(f'the list of its pages breaks off after {len(pages)}') from error
    return pages


def _read_page(content: bytes, offset: int, count: int, order: str, big: bool) -> tuple[Page, int]:
    """A page of `count` entries at `offset`, and the offset of the next page."""
    count_code, entry_code, offset_code = ('Q', 'HHQ', 'Q') if big else ('H', 'HHI', 'I')
    entry = struct.Struct(order + entry_code)
    inline = struct.calcsize(order + offset_code)
    start, step = offset + struct.calcsize(order + count_code), entry.size + inline
    following, = struct.unpack_from(order + offset_code, content, start + count * step)
    found: dict[str, np.ndarray] = {}
    for position in range(start, start + count * step, step):
        tag, kind, number = entry.unpack_from(content, position)
        if tag not in _NAMES or kind not in _TYPES or not number:
            continue
        dtype, place = np.dtype(order + _TYPES[kind]), position + entry.size
        if dtype.itemsize * number > inline:
            place, = struct.unpack_from(order + offset_code, content, place)
        found[_NAMES[tag]] = np.frombuffer(content, dtype, number, place)
    return _page(found), following


def _page(found: dict[str, np.ndarray]) -> Page:
    if 'width' not in found or 'height' not in found:
        raise ValueError('a page without a size')
    several = {name: found.pop(name) for name in ('offsets', 'sizes') if name in found}
    bits = int(found.pop('bits', np.ones(1, int)).max())
    single = {name: int(values[0]) for name, values in found.items()}
    return Page(**single, **several, bits=bits)
