"""Cut out a part of the image and its label maps."""
from collections.abc import Callable

import numpy as np

from mmcv_replace.utils.errors import ConfigError

from ..annotation import count_labels
from ..builder import PIPELINES
from .base import Results
from .checks import check_numbers
from .ignored import LabelStep, ignore_index_of

TRIES = 10

Window = tuple[slice, slice]


@PIPELINES.register_module()
class RandomCrop(LabelStep):
    """Keep a random window of `crop_size` (height, width), or all of a smaller image.

    With `cat_max_ratio` < 1 windows of which one class takes a larger share (of the pixels that
    are not ignored) are drawn again, up to ten times. `ignore_index` is by default the dataset's.
    """

    label_setting = 'ignore_index'
    label_fault = 'cat_max_ratio would take the ignored pixels for those of a class'

    def __init__(
        self, crop_size: tuple[int, int], cat_max_ratio: float = 1.0,
        ignore_index: int | None = None
    ) -> None:
        if len(crop_size) != 2 or not all(isinstance(edge, int) and edge > 0 for edge in crop_size):
            raise ConfigError(f'RandomCrop: crop_size={crop_size!r}: give (height, width)')
        check_numbers('RandomCrop', 'cat_max_ratio', cat_max_ratio, least=0)
        self.crop_size = tuple(crop_size)
        self.cat_max_ratio = cat_max_ratio
        self.ignore_index = ignore_index

    def own_label(self) -> int | None:
        """`ignore_index`, where shares are looked at."""
        return self.ignore_index if self.cat_max_ratio < 1 else None

    def __call__(self, results: Results) -> Results:
        window = self.choose_window(
            results, results['img'].shape, lambda window: results['gt_semantic_seg'][window])
        for key in ('img', *results.get('seg_fields', ())):
            results[key] = results[key][window]
        return self.note_size(results)

    def note_size(self, results: Results) -> Results:
        """Note in `results` the size of the window, which has no padding until `Pad` says so."""
        results['img_shape'] = results['pad_shape'] = results['img'].shape
        return results

    def choose_window(
        self, results: Results, shape: tuple[int, ...], label_in: Callable[[Window], np.ndarray]
    ) -> Window:
        """Draw the window of an image of that shape; `label_in` gives the label map in a window."""
        ignored = ignore_index_of(results) if self.ignore_index is None else self.ignore_index
        window = self._draw_window(shape)
        if self.cat_max_ratio < 1:
            for _ in range(TRIES):
                if self._is_mixed(label_in(window), ignored):
                    break
                window = self._draw_window(shape)
        return window

    def _draw_window(self, shape: tuple[int, ...]) -> Window:
        tops, lefts = (max(edge - kept, 0) + 1
                       for edge, kept in zip(shape, self.crop_size, strict=False))
        top, left = np.random.randint(tops), np.random.randint(lefts)
        height, width = self.crop_size
        return slice(top, top + height), slice(left, left + width)

    def _is_mixed(self, label: np.ndarray, ignored: int) -> bool:
        """Whether two classes or more are there and none takes too large a share."""
        values, counts = count_labels(label)
        counts = counts[values != ignored]
        return len(counts) > 1 and bool(counts.max() / counts.sum() < self.cat_max_ratio)
