"""Windows of a label map that is resized to the nearest pixel, without resizing it."""
import cv2
import numpy as np

from mmcv_replace.image import imresize
from mmseg.core.evaluation.histogram import Runs, count_runs, find_runs

from ..masks.annotation import count_labels, nonzero
from .crop import Counts, Window

# Pixels below which the runs of a whole map are found at once, for all windows that are counted.
FEW = 2**20


class ResizedLabel:
    """A label map [H, W] that is resized to `size` (width, height).

    Of the map slices of rows are read: `label[start:stop, left:right]`.
    """

    def __init__(self, label: np.ndarray, size: tuple[int, int]) -> None:
        self.label = label
        # Resizing the numbers of the rows and columns tells which ones OpenCV takes.
        height, width = label.shape
        self._rows = imresize(np.arange(height, dtype=np.int32)[:, None], (1, size[1]),
                              interpolation='nearest').reshape(-1).astype(np.intp)
        self._columns = imresize(np.arange(width, dtype=np.int32)[None], (size[0], 1),
                                 interpolation='nearest').reshape(-1).astype(np.intp)
        self._runs: Runs | None = None
        self._last: tuple[tuple, Counts] | None = None
        self._is_small = height * width < FEW
        self._by_runs = label.dtype == np.uint8

    def read(self, window: Window) -> np.ndarray:
        """What a window (rows, columns) of the resized map shows."""
        rows, columns = self._taken(window)
        first, left = rows[0], columns[0]
        part = self.label[first:rows[-1] + 1, left:columns[-1] + 1]
        return _take(part, rows - first, columns - left)

    def count(self, window: Window) -> Counts:
        """The values in a window, ascending, and how many pixels have each."""
        # A map that is smaller than the windows shows the same in all of them.
        key = tuple((part.start, part.stop) for part in window)
        if self._last is None or self._last[0] != key:
            counts = self._count_runs(*self._taken(window)) if self._by_runs else None
            self._last = key, (count_labels(self.read(window)) if counts is None
                               else nonzero(counts))
        return self._last[1]

    def _taken(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """The rows and columns of the map that a window shows."""
        return self._rows[window[0]], self._columns[window[1]]

    def _count_runs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray | None:
        """A histogram [256] of what rows and columns show; None where runs are short."""
        height, width = self.label.shape
        if self._is_small:
            if self._runs is None:
                self._runs = find_runs(self.label[:height, :width])
            self._by_runs = self._runs is not None
            return count_runs(self._runs, np.bincount(rows, minlength=height), np.bincount(
                columns, minlength=width)) if self._by_runs else None
        first, left = rows[0], columns[0]
        repeats = np.bincount(rows - first)
        shown = np.flatnonzero(repeats)
        part = self.label[first:rows[-1] + 1, left:columns[-1] + 1]
        runs = find_runs(part if len(shown) == len(repeats) else part[shown])
        return None if runs is None else count_runs(
            runs, repeats[shown], np.bincount(columns - left))


def _take(label: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """label[rows][:, columns]"""
    if label.dtype != np.uint8:
        return label[rows].take(columns, axis=1)
    # Whole rows are copied several times faster than single pixels, even with turning the map.
    if len(rows) < len(label):
        return cv2.transpose(cv2.transpose(label[rows])[columns])
    return cv2.transpose(cv2.transpose(label)[columns])[rows]
