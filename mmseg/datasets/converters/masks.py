"""Masks that converters write to a folder that is not yet in its place."""
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmseg.core.utils import whole_palette


def write_mask(path: Path, labels: np.ndarray, palette: Sequence[Sequence[int]]) -> None:
    """Write labels [H, W] uint8 as a PNG with a palette [N, 3] RGB.

    Other than `write_palette_png` it does not wait for the disk, which takes longer than the rest
    for tens of thousands of files.
    """
    from PIL import Image
    image = Image.fromarray(labels)
    image.putpalette(whole_palette(palette))
    image.save(path, format='PNG')
