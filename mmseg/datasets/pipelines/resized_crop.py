"""Resize and crop in one: only the part of the source that the crop shows is read."""
import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mmcv_replace.image.bands import band_count
from mmcv_replace.image.groups import ARRAY

from .base import Results, Transform
from .crop import Counts, RandomCrop, Window
from .resized_label import ResizedLabel

if TYPE_CHECKING:
    from .resize import Resize

Size = tuple[int, int]  # (width, height)
Resizing = tuple[Size, dict[str, Any]]  # the parameters of a `Resize`
# From this number of pixels of the resized image on, less work is worth a small difference.
LARGE = 2**21
# How far from a pixel of the source, in pixels, the first pixel of a window may fall. OpenCV rounds
# the places between pixels to 1/2048; this is half of that.
TOLERANCE = 1 / 4096


class ResizedCrop(Transform):
    """`Resize` and the `RandomCrop` after it, with the same draws and label maps.

    The image is the same too where the resized one has less than `LARGE` pixels. In a window of a
    larger one less than one value in a thousand differs by one: OpenCV computes places in float32,
    and those counted from the window are rounded otherwise than those counted from the edge.
    """

    def __init__(self, resize: 'Resize', crop: RandomCrop) -> None:
        self.resize = resize
        self.crop = crop

    def __call__(self, results: Results) -> Results:
        if not self.fits(results):
            return self.crop(self.resize(results))
        return super().__call__(results)

    def fits(self, results: Results) -> bool:
        """Whether both are done in one; image and label maps then may be `StoredArray`s."""
        img = results['img']
        alike = all(results[key].shape == img.shape[:2] for key in results.get('seg_fields', ()))
        return img.dtype == np.uint8 and alike and band_count(img) <= ARRAY

    def draw(self, results: Results) -> tuple[Resizing, Window]:
        """The parameters of both steps."""
        size, keys = self.resize.draw(results)
        label: list[ResizedLabel] = []

        def count_in(window: Window) -> Counts:
            if not label:
                label.append(ResizedLabel(results['gt_semantic_seg'], size))
            return label[0].count(window)

        return (size, keys), self.crop.draw_window(results, size[::-1], count_in)

    def apply_image(self, img: np.ndarray, params: tuple[Resizing, Window]) -> np.ndarray:
        (size, _), window = params
        return resize_window(img, size, window, exact=size[0] * size[1] < LARGE)

    def apply_label(self, label: np.ndarray, params: tuple[Resizing, Window]) -> np.ndarray:
        (size, _), window = params
        return ResizedLabel(label, size).read(window)

    def record(self, results: Results, params: tuple[Resizing, Window]) -> None:
        self.resize.record(results, params[0])
        self.crop.record(results, params[1])


def resize_window(img: np.ndarray, size: Size, window: Window, exact: bool) -> np.ndarray:
    """What `window` (rows, columns) shows of a uint8 image resized bilinearly to (width, height).

    With `exact` the source is read from its top left corner on.
    """
    (rows, top, bottom), (columns, left, right) = (
        _source_span(edge, new_edge, part, exact)
        for edge, new_edge, part in zip(img.shape, size[::-1], window, strict=False))
    factors = dict(fx=size[0] / img.shape[1], fy=size[1] / img.shape[0])
    resized = cv2.resize(img[top:bottom, left:right], None, **factors)
    return resized[rows, columns]


def _source_span(edge: int, new_edge: int, part: slice, exact: bool) -> tuple[slice, int, int]:
    """Which span of the source to resize: the slice of the result that is `part`, start and stop.

    `edge` and `new_edge` are the lengths of the source and of the whole target.
    """
    start, stop, _ = part.indices(new_edge)
    step = edge / new_edge
    first = 0 if exact else _nearest_start(start, step)
    source_stop = min(edge, math.ceil(stop * step) + 2)
    return slice(start - first, stop - first), round(first * step), source_stop


def _nearest_start(start: int, step: float) -> int:
    """The last pixel of the target up to `start` that falls on a pixel of the source."""
    starts = np.arange(start + 1)
    places = starts * step
    # The first pixels of an enlarged image repeat its edge, which must not happen in the window.
    usable = np.abs(places - np.rint(places)) <= TOLERANCE
    usable &= (start - starts + 0.5) * step >= 0.5
    usable[0] = True
    return int(starts[usable][-1])
