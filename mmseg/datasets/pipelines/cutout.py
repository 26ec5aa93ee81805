"""Cover parts of the image."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results
from .checks import check_fill, check_numbers, fill_values, is_size
from .ignored import LabelStep, is_set, room_for

MAX_HOLES = 10_000

Hole = tuple[slice, slice]  # of rows and columns
Pair = Sequence[float]


@PIPELINES.register_module()
class RandomCutOut(LabelStep):
    """With probability `prob`, fill rectangles of the image with `fill_in`.

    Their number is `n_holes`, or drawn from (fewest, most). The size of each is `cutout_shape`
    (width, height) in pixels, or `cutout_ratio`, shares of the image's width and height, or drawn
    from a list of these; its upper left corner is any pixel, and what lies beyond the image is cut
    off. Label maps stay as they are unless `seg_fill_in` is their value in the rectangles.

    Source: Improved Regularization of Convolutional Neural Networks with Cutout, arXiv:1708.04552.
    """

    label_setting = 'seg_fill_in'
    label_fault = 'the loss would meet a class that does not exist'

    def __init__(self, prob: float, n_holes: int | tuple[int, int],
                 cutout_shape: Pair | Sequence[Pair] | None = None,
                 cutout_ratio: Pair | Sequence[Pair] | None = None,
                 fill_in: float | Sequence[float] = (0, 0, 0), seg_fill_in: int | None = None,
                 ) -> None:
        check_numbers('RandomCutOut', 'prob', prob, least=0, most=1)
        if (cutout_shape is None) == (cutout_ratio is None):
            raise ConfigError('RandomCutOut: give either cutout_shape or cutout_ratio')
        is_range = isinstance(n_holes, list | tuple) and len(n_holes) == 2
        fewest, most = n_holes if is_range else (n_holes, n_holes)
        if not (isinstance(fewest, int) and isinstance(most, int)
                and 0 <= fewest <= most <= MAX_HOLES):
            raise ConfigError(f'RandomCutOut: n_holes={n_holes!r}: give a whole number, or '
                              f'(fewest, most), up to {MAX_HOLES}')
        if is_set(seg_fill_in):
            check_numbers('RandomCutOut', 'seg_fill_in', seg_fill_in, least=0, most=255)
        for shape in _candidates(cutout_shape):
            if not is_size(shape):
                raise ConfigError(f'RandomCutOut: cutout_shape={cutout_shape!r}: give (width, '
                                  'height) in pixels, or a list of them')
        for ratio in _candidates(cutout_ratio):
            check_numbers('RandomCutOut', 'cutout_ratio', ratio, 2, least=0, most=1)
        check_fill('RandomCutOut', 'fill_in', fill_in)
        self.prob = prob
        self.n_holes = n_holes
        self.cutout_shape = cutout_shape
        self.cutout_ratio = cutout_ratio
        self.fill_in = fill_in
        self.seg_fill_in = seg_fill_in
        self._range = fewest, most + 1
        self._sizes = _candidates(cutout_ratio if cutout_shape is None else cutout_shape)

    def draw(self, results: Results) -> list[Hole]:
        """The rectangles; none where the sample stays as it is."""
        if not np.random.rand() < self.prob:
            return []
        self.check_own_label(results.get('ignore_index', self.seg_fill_in),
                             results.get('num_classes'))
        height, width = results['img'].shape[:2]
        return [self._draw_hole(height, width) for _ in range(np.random.randint(*self._range))]

    def _draw_hole(self, height: int, width: int) -> Hole:
        left, top = np.random.randint(width), np.random.randint(height)
        across, down = self._sizes[np.random.randint(len(self._sizes))]
        if self.cutout_shape is None:
            across, down = int(across * width), int(down * height)
        return slice(top, top + down), slice(left, left + across)

    def describe(self, params: list[Hole]) -> dict[str, Any]:
        return {'holes': [{'top': rows.start, 'left': columns.start,
                           'height': rows.stop - rows.start, 'width': columns.stop - columns.start}
                          for rows, columns in params] or 'none'}

    def apply_image(self, img: np.ndarray, params: list[Hole]) -> np.ndarray:
        return _filled(img, params, fill_values('RandomCutOut', 'fill_in', self.fill_in, img))

    def apply_label(self, label: np.ndarray, params: list[Hole]) -> np.ndarray:
        if not is_set(self.seg_fill_in):
            return label
        return _filled(room_for(label, self.seg_fill_in), params, self.seg_fill_in)


def _candidates(sizes: Pair | Sequence[Pair] | None) -> list[Pair]:
    """One pair of numbers, or each of several."""
    if sizes is None:
        return []
    several = isinstance(sizes, list | tuple) and sizes and all(
        isinstance(size, list | tuple) for size in sizes)
    return list(sizes) if several else [sizes]


def _filled(array: np.ndarray, holes: list[Hole], value: int | np.ndarray) -> np.ndarray:
    if not holes:
        return array
    filled = array.copy()
    for hole in holes:
        filled[hole] = value
    return filled
