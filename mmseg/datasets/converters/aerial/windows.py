"""Cut large images into windows, of which the last of a row or column ends at the border."""
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmcv_replace.image import impad
from mmcv_replace.image.formats.rows import Rows
from mmcv_replace.utils.errors import ConfigError

from .colour_labels import LabelRows


@dataclass(frozen=True)
class Box:
    """Pixels from `left` and `top` up to `right` and `bottom`."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Windows:
    """Size of windows and steps between them in pixels; `names` are those of options in errors."""

    width: int
    height: int
    step_x: int
    step_y: int
    names: str

    def __post_init__(self) -> None:
        steps = ((self.width, self.step_x), (self.height, self.step_y))
        if not all(0 < step <= size for size, step in steps):
            raise ConfigError(f'{self.names}: windows of {self.width} x {self.height} pixels, '
                              f'{self.step_x} and {self.step_y} apart, leave gaps or never end: '
                              'the distance must be from 1 to the size')

    def boxes(self, height: int, width: int) -> list[Box]:
        """Windows that cover an image, row by row; a smaller image is padded to one window."""
        return [Box(left, top, left + self.width, top + self.height)
                for top in _starts(height, self.height, self.step_y)
                for left in _starts(width, self.width, self.step_x)]


def _starts(size: int, window: int, step: int) -> list[int]:
    last = max(size - window, 0)
    return [*range(0, last, step), last]


def cut(rows: Rows | LabelRows, windows: Windows, fill: int | None
        ) -> Iterator[tuple[Box, np.ndarray]]:
    """The windows of an image, BGR [height, width, 3], or labels [height, width], and their boxes.

    Where the image is smaller, `fill` is below and to the right of it, or, if that is None, the
    window ends with the image.
    """
    band, top = None, -1
    for box in windows.boxes(rows.height, rows.width):
        if box.top != top:
            band, top = rows.read(box.top, min(box.bottom, rows.height)), box.top
        img = band[:, box.left:box.right]
        if fill is None:
            box = Box(box.left, box.top, box.left + img.shape[1], box.top + img.shape[0])
        elif img.shape[:2] != (windows.height, windows.width):
            img = impad(img, shape=(windows.height, windows.width), pad_val=fill)
        yield box, img
