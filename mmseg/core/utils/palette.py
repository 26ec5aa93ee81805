"""The colour map of Pascal VOC, and label maps as indexed or grey PNG files."""
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmcv_replace.fileio import atomic_write
from mmcv_replace.utils.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image


def voc_colormap(num_colors: int = 256) -> np.ndarray:
    """RGB colours [num_colors, 3] uint8 of VOC's indexed masks.

    Bits 0, 1, 2 of an index are the highest bits of red, green and blue, bits 3, 4, 5 the next
    highest and so on, so that consecutive indices have very different colours.
    """
    index = np.arange(num_colors)
    colors = np.zeros((num_colors, 3), np.uint8)
    for level in range(8):
        for channel in range(3):
            bit = (index >> (3 * level + channel)) & 1
            colors[:, channel] |= (bit << (7 - level)).astype(np.uint8)
    return colors


def whole_palette(colors: np.ndarray | Sequence[Sequence[int]]) -> bytes:
    """RGB colours [N, 3] of an indexed image and black after them, 256 in all.

    Of 16 and fewer Pillow writes no more than 4 bits a pixel, so that 255, which marks ignored
    pixels, would become 15.
    """
    return np.asarray(colors, np.uint8).tobytes().ljust(3 * 256, b'\0')


def write_palette_png(path: str | Path, label_map: np.ndarray,
                      palette: np.ndarray | Sequence[Sequence[int]] | None = None,
                      sync: bool = True) -> None:
    """Write a label map [H, W] as an indexed PNG; `palette` [N, 3] RGB is VOC's by default.

    Without `sync` nobody waits for the disk. Raises DataError for a value that does not fit into 8
    bits, and where the file cannot be written.
    """
    image = _image(path, label_map)
    image.putpalette(whole_palette(voc_colormap() if palette is None else palette))
    _save(path, image, sync)


def write_deep_png(path: str | Path, label_map: np.ndarray, sync: bool = True) -> None:
    """Write a label map [H, W] of more values than a palette has as a grey PNG of 16 bits."""
    from PIL.Image import fromarray
    _save(path, fromarray(np.asarray(label_map).astype(np.uint16)), sync)


def write_grey_png(path: str | Path, label_map: np.ndarray) -> None:
    """Write a label map [H, W] as a grey PNG of 8 bits; raises DataError as `write_palette_png`."""
    _save(path, _image(path, label_map))


def _image(path: str | Path, label_map: np.ndarray) -> 'Image':
    from PIL.Image import fromarray
    label_map = np.asarray(label_map)
    if label_map.dtype != np.uint8 and not 0 <= label_map.min() <= label_map.max() <= 255:
        raise DataError(f'{path}: the label map holds values from {label_map.min()} to '
                        f'{label_map.max()}, a PNG of 8 bits only 0 to 255')
    return fromarray(label_map.astype(np.uint8))


def _save(path: str | Path, image: 'Image', sync: bool = True) -> None:
    try:
        with atomic_write(path, sync=sync) as file:
            image.save(file, format='PNG')
    except OSError as error:
        raise DataError(f'cannot write {path}: {error.strerror or error}') from error
