"""Resize a large image by rows, with the pixels of `imresize`."""
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .groups import SCALAR

ONE = np.float32(2048)  # weights of uint8 images have eleven bits
READ_BYTES = 2**25  # of the source that are read at once


class RowReader(Protocol):
    """An image of which rows are read."""

    height: int
    width: int

    def read(self, top: int, bottom: int, left: int = 0, right: int | None = None) -> np.ndarray:
        """Rows [bottom - top, right - left] or [bottom - top, right - left, C]."""


@dataclass(frozen=True)
class Neighbours:
    """The two pixels along an axis from which each pixel of the target is mixed.

    `weights` [2, target] are those of `first` and `second` [target].
    """

    first: np.ndarray
    second: np.ndarray
    weights: np.ndarray

    def part(self, start: int, stop: int) -> 'Neighbours':
        """Those of the target from `start` to `stop`, counted from the first pixel they need."""
        origin = self.first[start]
        return Neighbours(self.first[start:stop] - origin, self.second[start:stop] - origin,
                          self.weights[:, start:stop])


class ResizedRows:
    """Rows of an image that is resized bilinearly to `size` (width, height).

    The arithmetic is that of OpenCV's code for x86. For uint8 the pixels are the same; for other
    types, and on other processors, some are rounded to their neighbour.
    """

    def __init__(self, source: RowReader, size: tuple[int, int]) -> None:
        self._source = source
        self.width, self.height = size
        pixel = source.read(0, 1, 0, 1)
        # The type in which OpenCV computes where a pixel of the target lies.
        dtype = np.float32 if pixel.dtype == np.uint8 or pixel.size > SCALAR else np.float64
        # OpenCV halves more than four channels by means of four pixels, rounded, a half to even.
        is_mean = (pixel.dtype == np.uint8 and pixel.size > SCALAR
                   and (source.width, source.height) == (2 * self.width, 2 * self.height))
        self._mix = _mean if is_mean else _mix
        self._columns = _neighbours(source.width, self.width, dtype, inside=True)
        self._rows = _neighbours(source.height, self.height, dtype, inside=False)

    def read(self, top: int, bottom: int, left: int = 0, right: int | None = None) -> np.ndarray:
        """The rows from `top` to `bottom`, between two columns."""
        right = self.width if right is None else right
        columns = self._columns.part(left, right)
        begin = int(self._columns.first[left])
        end = int(self._columns.second[right - 1]) + 1
        parts, start = [], top
        while start < bottom:
            stop = self._stop(start, bottom, end - begin)
            first, last = int(self._rows.first[start]), int(self._rows.second[stop - 1])
            block = self._source.read(first, last + 1, begin, end)
            parts.append(self._mix(block, self._rows.part(start, stop), columns))
            start = stop
        return np.concatenate(parts)

    def _stop(self, start: int, bottom: int, width: int) -> int:
        """The end of the rows that are made at once, from `start` on."""
        most = int(self._rows.first[start]) + max(2, READ_BYTES // (4 * width))
        return min(bottom, max(start + 1, int(np.searchsorted(self._rows.second, most))))


def _neighbours(source: int, target: int, dtype: type, inside: bool) -> Neighbours:
    """Between which pixels those of the target lie; `inside`: the weight of what is beyond is 0."""
    scale = 1 / (target / source)
    places = ((np.arange(target) + 0.5) * scale - 0.5).astype(dtype)
    first = np.floor(places)
    second_weight = (places - first).astype(np.float32)
    first = first.astype(np.intp)
    if inside:
        second_weight[(first < 0) | (first >= source - 1)] = 0
    return Neighbours(first.clip(0, source - 1), (first + 1).clip(0, source - 1),
                      np.stack([1 - second_weight, second_weight]))


def _mix(block: np.ndarray, rows: Neighbours, columns: Neighbours) -> np.ndarray:
    """The pixels of the target between those of a block of the source."""
    if block.dtype == np.uint8:
        return _mix_bytes(block, rows, columns)
    shape = (-1, *[1] * (block.ndim - 1))
    upper, lower = (_across(block[taken].astype(np.float32), columns, columns.weights)
                    for taken in (rows.first, rows.second))
    mixed = upper * rows.weights[0].reshape(shape) + lower * rows.weights[1].reshape(shape)
    if block.dtype.kind == 'f':
        return mixed.astype(block.dtype)
    limits = np.iinfo(block.dtype)
    return np.rint(mixed).clip(limits.min, limits.max).astype(block.dtype)


def _mean(block: np.ndarray, rows: Neighbours, columns: Neighbours) -> np.ndarray:
    """As `_mix`, of bytes in an image that is halved: the means of four pixels."""
    total = block[rows.first].astype(np.uint16) + block[rows.second]
    total = total[:, columns.first] + total[:, columns.second]
    return np.rint(total / np.float32(4)).astype(np.uint8)


def _mix_bytes(block: np.ndarray, rows: Neighbours, columns: Neighbours) -> np.ndarray:
    """As `_mix`, in whole numbers."""
    across, down = (np.rint(axis.weights * ONE).astype(np.int32) for axis in (columns, rows))
    shape = (-1, *[1] * (block.ndim - 1))
    upper, lower = (_across(block[taken].astype(np.int32), columns, across) >> 4
                    for taken in (rows.first, rows.second))
    mixed = ((upper * down[0].reshape(shape)) >> 16) + ((lower * down[1].reshape(shape)) >> 16)
    return ((mixed + 2) >> 2).astype(np.uint8)


def _across(rows: np.ndarray, columns: Neighbours, weights: np.ndarray) -> np.ndarray:
    """Rows [R, W] or [R, W, C], mixed along W."""
    shape = (-1, *[1] * (rows.ndim - 2))
    return (rows[:, columns.first] * weights[0].reshape(shape)
            + rows[:, columns.second] * weights[1].reshape(shape))
