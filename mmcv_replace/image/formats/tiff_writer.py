"""Write a TIFF of one channel in tiles, where the TIFF lies of which it is a map."""
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from .tiff import has_tifffile
from .tiff_header import is_tiff

# Size and place of a pixel, matrix in place of both, and the coordinate system (GeoTIFF 1.1); the
# coefficients of a satellite's view, which stand for all of these (RPCs in GeoTIFF).
GEOREFERENCE = (33550, 33922, 34264, 34735, 34736, 34737, 50844)
TILE = 256
BIG = 2**31  # bytes of pixels from which on a file may be too large for offsets of 32 bits


def read_georeference(path: str | Path) -> list[tuple] | None:
    """The tags that say where the image of a TIFF lies, as `write_tiles` takes them.

    None for a file of another kind, whatever its name, and without tifffile.
    """
    with open(path, 'rb') as file:
        if not is_tiff(file.read(4)) or not has_tifffile():
            return None
    import tifffile
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        return [(code, tags[code].dtype, tags[code].count, tags[code].value, True)
                for code in GEOREFERENCE if code in tags]


def write_tiles(file: IO[bytes], size: tuple[int, int], dtype: np.dtype,
                read: Callable[[int, int], np.ndarray], palette: bytes | None = None,
                tags: list[tuple] | None = None) -> None:
    """Write an image of `size` (height, width), of which `read(top, bottom)` gives rows.

    palette: 256 times red, green and blue, for uint8. Tiles are compressed without losses.
    """
    import tifffile
    height, width = size

    def tiles() -> Iterator[np.ndarray]:
        for top in range(0, height, TILE):
            rows = read(top, min(top + TILE, height))
            padded = np.zeros((TILE, -(-width // TILE) * TILE), dtype)
            padded[:len(rows), :width] = rows
            for left in range(0, width, TILE):
                yield padded[:, left:left + TILE]

    how: dict[str, Any] = dict(photometric='minisblack')
    if palette is not None:  # the colours of a TIFF have 16 bits
        colours = np.frombuffer(palette, np.uint8).reshape(256, 3).T.astype(np.uint16) * 257
        how = dict(photometric='palette', colormap=colours)
    with tifffile.TiffWriter(file, bigtiff=height * width * np.dtype(dtype).itemsize > BIG) as tiff:
        tiff.write(tiles(), shape=size, dtype=dtype, tile=(TILE, TILE), compression='zlib',
                   metadata=None, software='', extratags=tags or (), maxworkers=1, **how)
