"""Write what is predicted of a large image, by rows."""
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from mmcv_replace.fileio import atomic_write
from mmcv_replace.image import imresize
from mmcv_replace.image.formats.png_writer import write_png_rows
from mmcv_replace.image.formats.tiff_writer import read_georeference, write_tiles
from mmcv_replace.image.resize_rows import RowReader
from mmseg.core.utils import whole_palette

from .map_store import FileArray

LONGEST_SIDE = 2048  # of an overlay
BLOCK_BYTES = 2**24  # of the image that are shrunk at once


def write_mask(path: Path, seg_map: FileArray, palette: np.ndarray, image: str) -> Path:
    """Write a label map as a PNG like those of other images; returns the path.

    Of an `image` in a TIFF it becomes a TIFF in tiles, with the georeference of the image, where
    tifffile is installed.
    """
    colours = whole_palette(palette[:256]) if seg_map.dtype == np.uint8 else None
    georeference = read_georeference(image)
    if georeference is None:
        with atomic_write(path, sync=False) as file:
            write_png_rows(file, seg_map.shape, seg_map.blocks(), colours)
        return path
    path = path.with_suffix('.tif')
    with atomic_write(path, sync=False) as file:
        write_tiles(file, seg_map.shape, seg_map.dtype, seg_map.read, colours, georeference)
    return path


def write_confidence(path: Path, confidence: FileArray, names: Sequence[str]) -> None:
    """Write the confidence of each pixel as the .npz files of other images hold it."""
    with atomic_write(path, sync=False) as file, zipfile.ZipFile(
            file, 'w', zipfile.ZIP_DEFLATED) as archive:
        with archive.open('confidence.npy', 'w', force_zip64=True) as member:
            npy.write_array_header_1_0(member, dict(
                descr=npy.dtype_to_descr(confidence.dtype), fortran_order=False,
                shape=confidence.shape))
            for block in confidence.blocks():
                member.write(block.tobytes())
        with archive.open('classes.npy', 'w') as member:
            npy.write_array(member, np.array(names, dtype=np.str_), allow_pickle=False)


def shrink(rows: RowReader, seg_map: FileArray) -> tuple[np.ndarray, np.ndarray]:
    """An image and its label map, shrunk by a whole number to at most `LONGEST_SIDE`.

    A pixel is the mean of those of the image, and has the class of the one in the middle.
    """
    factor = math.ceil(max(seg_map.shape) / LONGEST_SIDE)
    height, width = (max(1, edge // factor) for edge in seg_map.shape)
    used = min(width * factor, rows.width)
    at_once = max(1, BLOCK_BYTES // (4 * rows.width * factor))
    img, labels = [], []
    for top in range(0, height, at_once):
        bottom = min(top + at_once, height)
        block = rows.read(top * factor, min(bottom * factor, rows.height), 0, used)
        shrunk = block if factor == 1 else imresize(block, (width, bottom - top),
                                                    interpolation='area')
        img.append(shrunk.reshape(bottom - top, width, *block.shape[2:]))
        for row in range(top, bottom):
            middle = min(row * factor + factor // 2, rows.height - 1)
            taken = seg_map.read(middle, middle + 1)[:, factor // 2:used:factor]
            labels.append(taken[:, :width].copy())  # a view would keep the whole row
    return np.concatenate(img), np.concatenate(labels)
