"""Write a PNG of one channel by rows, so that no more than some rows are in memory.

Source of the format: the PNG specification, third edition.
"""
import struct
import zlib
from collections.abc import Iterable
from typing import IO

import numpy as np

SIGNATURE = b'\x89PNG\r\n\x1a\n'
GREY, PALETTE = 0, 3  # types of colour
CHUNK = 2**20  # bytes of compressed pixels in a chunk, about


def write_png_rows(file: IO[bytes], size: tuple[int, int], blocks: Iterable[np.ndarray],
                   palette: bytes | None = None) -> None:
    """Write blocks [rows, W] that follow one another from top to bottom; `size`: (height, width).

    They are uint8, or uint16 in an image without a `palette`, of which each three bytes are red,
    green and blue of an entry.
    """
    height, width = size
    out = _Chunks(file)
    packer, bits, written = zlib.compressobj(), 8, 0
    for block in blocks:
        assert block.shape[1] == width
        if not written:
            bits = 8 * block.dtype.itemsize
            assert bits == 8 or palette is None and bits == 16
            out.begin(height, width, bits, palette)
        lines = np.empty((len(block), 1 + width * bits // 8), np.uint8)
        lines[:, 0] = 0  # the filter of each row: none, as flat areas compress best
        lines[:, 1:] = np.ascontiguousarray(block, f'>u{bits // 8}').view(np.uint8)
        out.pixels(packer.compress(lines))
        written += len(block)
    assert written == height
    out.pixels(packer.flush(), last=True)
    out.chunk(b'IEND', b'')


class _Chunks:
    """The chunks of a PNG in an open file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._pixels = bytearray()

    def begin(self, height: int, width: int, bits: int, palette: bytes | None) -> None:
        self._file.write(SIGNATURE)
        kind = GREY if palette is None else PALETTE
        self.chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, bits, kind, 0, 0, 0))
        if palette is not None:
            self.chunk(b'PLTE', palette)

    def pixels(self, compressed: bytes, last: bool = False) -> None:
        """Add compressed pixels, which are written when there are enough of them."""
        self._pixels += compressed
        if len(self._pixels) >= CHUNK or last:
            self.chunk(b'IDAT', bytes(self._pixels))
            self._pixels.clear()

    def chunk(self, name: bytes, content: bytes) -> None:
        self._file.write(struct.pack('>I', len(content)) + name + content
                         + struct.pack('>I', zlib.crc32(content, zlib.crc32(name))))
