"""Crop the image and its label maps."""
from collections.abc import Callable
from typing import Any

import numpy as np

from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from ..masks.annotation import count_labels
from .base import Results
from .checks import check_numbers, is_size
from .ignored import UNSET, LabelStep, ignore_index_of, is_set

TRIES = 10

Window = tuple[slice, slice]
Counts = tuple[np.ndarray, np.ndarray]  # the labels in a window, and how many pixels have each
Box = tuple[int, int, int, int]  # the rows from ... to ..., the columns from ... to ...


@PIPELINES.register_module()
class RandomCrop(LabelStep):
    """Crop to a random window of `crop_size` (height, width); a smaller image is kept whole.

    With `cat_max_ratio` < 1 a window is drawn again, up to ten times, while one class covers at
    least this share of its pixels that are not ignored. `ignore_index` is the dataset's by default.
    """

    fusible = True
    label_setting = 'ignore_index'
    label_fault = 'cat_max_ratio would take the ignored pixels for those of a class'

    def __init__(self, crop_size: tuple[int, int], cat_max_ratio: float = 1.0,
                 ignore_index: int | None = UNSET) -> None:
        if not is_size(crop_size):
            raise ConfigError(f'RandomCrop: crop_size={crop_size!r}: give (height, width)')
        check_numbers('RandomCrop', 'cat_max_ratio', cat_max_ratio, least=0)
        self.crop_size = tuple(crop_size)
        self.cat_max_ratio = cat_max_ratio
        self.ignore_index = UNSET if ignore_index is None else ignore_index

    def check_own_label(self, ignore_index: int, num_classes: int | None) -> None:
        if self.cat_max_ratio < 1:  # which makes use of the label
            super().check_own_label(ignore_index, num_classes)

    def draw(self, results: Results) -> Window:
        """The window as slices of rows and columns."""
        return self._draw_mixed(
            results, lambda: _window_of(self.get_crop_bbox(results['img'])),
            lambda window: count_labels(self.apply_label(results['gt_semantic_seg'], window)))

    def get_crop_bbox(self, img: np.ndarray) -> Box:
        """Draw a window in an image; a subclass may override it."""
        return _box_of(self._draw_any(img.shape))

    def crop(self, img: np.ndarray, crop_bbox: Box) -> np.ndarray:
        """What a window shows of an image or a label map; a subclass may override it."""
        return img[_window_of(crop_bbox)]

    def describe(self, params: Window) -> dict[str, Any]:
        rows, columns = params
        return {'top': rows.start, 'left': columns.start}

    def apply_image(self, img: np.ndarray, params: Window) -> np.ndarray:
        return self.crop(img, _box_of(params))

    apply_label = apply_image

    def record(self, results: Results, params: Window) -> None:
        results['img_shape'] = results['pad_shape'] = results['img'].shape

    def draw_window(self, results: Results, shape: tuple[int, ...],
                    count_in: Callable[[Window], Counts]) -> Window:
        """Draw the window in an image of a `shape`; `count_in` counts the labels in a window."""
        return self._draw_mixed(results, lambda: self._draw_any(shape), count_in)

    def _draw_mixed(self, results: Results, draw: Callable[[], Window],
                    count_in: Callable[[Window], Counts]) -> Window:
        ignored = self.ignore_index if is_set(self.ignore_index) else ignore_index_of(results)
        window = draw()
        if self.cat_max_ratio < 1:
            for _ in range(TRIES):
                if self._is_mixed(*count_in(window), ignored):
                    break
                window = draw()
        return window

    def _draw_any(self, shape: tuple[int, ...]) -> Window:
        tops, lefts = (max(edge - kept, 0) + 1
                       for edge, kept in zip(shape, self.crop_size, strict=False))
        top, left = np.random.randint(tops), np.random.randint(lefts)
        height, width = self.crop_size
        return slice(top, top + height), slice(left, left + width)

    def _is_mixed(self, values: np.ndarray, counts: np.ndarray, ignored: int) -> bool:
        """Whether there are two classes or more, none with too large a share."""
        counts = counts[values != ignored]
        return len(counts) > 1 and bool(counts.max() / counts.sum() < self.cat_max_ratio)


def _window_of(box: Box) -> Window:
    top, bottom, left, right = box
    return slice(top, bottom), slice(left, right)


def _box_of(window: Window) -> Box:
    rows, columns = window
    return rows.start, rows.stop, columns.start, columns.stop
