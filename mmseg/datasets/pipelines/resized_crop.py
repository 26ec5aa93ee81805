"""Resize and crop in one: only the part of the source that the crop shows is read."""
import math

import cv2
import numpy as np

from mmcv_replace.image import imresize

from .base import Results, Transform
from .crop import RandomCrop, Window
from .resize import Resize, Size

# From so many pixels of the enlarged image on it is worth a difference to begin at the window.
LARGE = 2**21
# How far from a pixel of the source, in pixels, the first pixel of a window may fall. OpenCV knows
# the places between pixels to 1/2048; this is half of a step.
TOLERANCE = 1 / 4096


class ResizedCrop(Transform):
    """`Resize` and the `RandomCrop` behind it; draws and label maps are those of both in turn.

    So is the image where the enlarged one has less than `LARGE` pixels. In a window of a larger one
    less than one value in a thousand differs by one: OpenCV computes places in float32, and those
    counted from the window round otherwise than those counted from the edge.
    """

    def __init__(self, resize: Resize, crop: RandomCrop) -> None:
        self.resize = resize
        self.crop = crop

    def __call__(self, results: Results) -> Results:
        size = self.resize.choose_size(results)
        img = results['img']
        labels = {key: results[key] for key in results.get('seg_fields', ())}
        alike = all(label.shape == img.shape[:2] for label in labels.values())
        if img.dtype != np.uint8 or not alike:
            return self.crop(self.resize.resize_to(results, size))
        large = size[0] * size[1] >= LARGE
        readers = {key: _LabelLookup(label, size).read if large else
                   imresize(label, size, interpolation='nearest').__getitem__
                   for key, label in labels.items()}
        shape = (size[1], size[0], *img.shape[2:])
        window = self.crop.choose_window(
            results, shape, lambda window: readers['gt_semantic_seg'](window))
        self.resize.note_size(results, shape)
        img = resize_window(img, size, window, exact=not large)
        results.update(img=img, **{key: read(window) for key, read in readers.items()})
        return self.crop.note_size(results)


class _LabelLookup:
    """Windows of a label map [H, W] resized to the nearest pixel, which is never made whole."""

    def __init__(self, label: np.ndarray, size: Size) -> None:
        self.label = label
        height, width = label.shape
        # OpenCV says itself which row and column it takes.
        self.columns = imresize(np.arange(width, dtype=np.int32)[None], (size[0], 1),
                                interpolation='nearest')[0]
        self.rows = imresize(np.arange(height, dtype=np.int32)[:, None], (1, size[1]),
                             interpolation='nearest')[:, 0]

    def read(self, window: Window) -> np.ndarray:
        rows, columns = window
        return self.label[self.rows[rows]].take(self.columns[columns], axis=1)


def resize_window(img: np.ndarray, size: Size, window: Window, exact: bool) -> np.ndarray:
    """What `window` (rows, columns) shows of a uint8 image resized bilinearly to (width, height).

    `exact` begins at the edges of the image, and only leaves out what lies beyond the window.
    """
    (rows, top, bottom), (columns, left, right) = (
        _source_span(edge, new_edge, part, exact)
        for edge, new_edge, part in zip(img.shape, size[::-1], window, strict=False))
    factors = dict(fx=size[0] / img.shape[1], fy=size[1] / img.shape[0])
    resized = cv2.resize(img[top:bottom, left:right], None, **factors)
    return resized[rows, columns]


def _source_span(
    edge: int, new_edge: int, part: slice, exact: bool
) -> tuple[slice, int, int]:
    """Where a part of the target is in what a span of the source gives, and that span."""
    start, stop, _ = part.indices(new_edge)
    step = edge / new_edge
    first = 0 if exact else _nearest_start(start, step)
    source_stop = min(edge, math.ceil(stop * step) + 2)
    return slice(start - first, stop - first), round(first * step), source_stop


def _nearest_start(start: int, step: float) -> int:
    """The last pixel of the target, not behind `start`, that falls on a pixel of the source."""
    starts = np.arange(start + 1)
    places = starts * step
    # The first pixels of an enlarged image repeat the edge, so they are only right at the true one.
    usable = np.abs(places - np.rint(places)) <= TOLERANCE
    usable &= (start - starts + 0.5) * step >= 0.5
    usable[0] = True
    return int(starts[usable][-1])
