"""Flip, pad and rotate the image together with its label maps."""
from collections.abc import Sequence

import numpy as np

from mmcv_replace.image import imflip, impad, imrotate
from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results, Transform
from .checks import MAX_EDGE, check_fill, check_numbers, check_size

DIRECTIONS = ('horizontal', 'vertical')


@PIPELINES.register_module()
class RandomFlip(Transform):
    """Flip with probability `prob`, unless `results['flip']` has decided already.

    `flip_ratio` is the former name of `prob`.
    """

    def __init__(
        self,
        prob: float | None = None,
        direction: str = 'horizontal',
        flip_ratio: float | None = None,
    ) -> None:
        if prob is not None and flip_ratio is not None:
            raise ConfigError('RandomFlip: flip_ratio is the former name of prob; give prob only')
        self.prob = flip_ratio if prob is None else prob
        self.direction = direction
        if self.prob is not None and not 0 <= self.prob <= 1:
            raise ConfigError(f'RandomFlip: prob={self.prob} is no probability; give 0 to 1')
        if direction not in DIRECTIONS:
            raise ConfigError(f'RandomFlip: direction={direction!r}: choose one of '
                              f'{", ".join(DIRECTIONS)}')

    def __call__(self, results: Results) -> Results:
        if 'flip' not in results:
            if self.prob is None:
                raise ConfigError('RandomFlip: prob is missing; set it, or put RandomFlip into '
                                  'MultiScaleFlipAug')
            results['flip'] = bool(np.random.rand() < self.prob)
        direction = results.setdefault('flip_direction', self.direction)
        if results['flip']:
            for key in ('img', *results.get('seg_fields', ())):
                results[key] = imflip(results[key], direction)
        return results


@PIPELINES.register_module()
class Pad(Transform):
    """Pad at the right and bottom: to `size` (height, width), or to multiples of `size_divisor`."""

    def __init__(
        self,
        size: tuple[int, int] | None = None,
        size_divisor: int | None = None,
        pad_val: float | Sequence[float] = 0,
        seg_pad_val: int = 255,
    ) -> None:
        if (size is None) == (size_divisor is None):
            raise ConfigError('Pad: give either size or size_divisor')
        if size is not None:
            check_size('Pad', 'size', size)
        else:
            check_numbers('Pad', 'size_divisor', size_divisor, least=1, most=MAX_EDGE)
        check_fill('Pad', 'pad_val', pad_val)
        check_numbers('Pad', 'seg_pad_val', seg_pad_val, least=0, most=255)
        self.size = size
        self.size_divisor = size_divisor
        self.pad_val = pad_val
        self.seg_pad_val = seg_pad_val

    def __call__(self, results: Results) -> Results:
        img = results['img']
        return self.finish(results, _pad(img, self.choose_size(img), self.pad_val))

    def choose_size(self, img: np.ndarray) -> tuple[int, int]:
        """The (height, width) of an image after padding."""
        if self.size is not None:
            return self.size
        return tuple(-(-edge // self.size_divisor) * self.size_divisor for edge in img.shape[:2])

    def finish(self, results: Results, img: np.ndarray) -> Results:
        """Take the padded image, and pad the label maps."""
        results.update(
            img=img,
            pad_shape=img.shape,
            pad_fixed_size=self.size,
            pad_size_divisor=self.size_divisor)
        for key in results.get('seg_fields', ()):
            results[key] = _pad(results[key], img.shape[:2], self.seg_pad_val)
        return results


def _pad(img: np.ndarray, size: Sequence[int], value: float | Sequence[float]) -> np.ndarray:
    return img if img.shape[:2] == tuple(size) else impad(img, shape=size, pad_val=value)


@PIPELINES.register_module()
class RandomRotate(Transform):
    """Rotate with probability `prob` by an angle drawn from `degree` (a number d means -d to d).

    Corners are filled with `pad_val` and `seg_pad_val`. `auto_bound` enlarges the image so that
    nothing is cut off.
    """

    def __init__(
        self,
        prob: float,
        degree: float | tuple[float, float],
        pad_val: float | Sequence[float] = 0,
        seg_pad_val: int = 255,
        center: tuple[float, float] | None = None,
        auto_bound: bool = False,
    ) -> None:
        if not 0 <= prob <= 1:
            raise ConfigError(f'RandomRotate: prob={prob} is no probability; give 0 to 1')
        if isinstance(degree, int | float):
            if degree <= 0:
                raise ConfigError(f'RandomRotate: degree={degree}: give a positive number, or '
                                  '(lowest, highest)')
            degree = (-degree, degree)
        if len(degree) != 2:
            raise ConfigError(f'RandomRotate: degree={degree}: give a positive number, or (lowest, '
                              'highest)')
        check_numbers('RandomRotate', 'degree', degree, 2)
        check_fill('RandomRotate', 'pad_val', pad_val)
        check_numbers('RandomRotate', 'seg_pad_val', seg_pad_val, least=0, most=255)
        if center is not None:
            check_numbers('RandomRotate', 'center', center, 2)
            if auto_bound:
                raise ConfigError('RandomRotate: auto_bound moves the center: give one of both')
        self.prob = prob
        self.degree = degree
        self.pad_val = pad_val
        self.seg_pad_val = seg_pad_val
        self.center = center
        self.auto_bound = auto_bound

    def __call__(self, results: Results) -> Results:
        rotate = np.random.rand() < self.prob
        angle = np.random.uniform(min(self.degree), max(self.degree))
        if not rotate:
            return results
        results['img'] = imrotate(results['img'], angle, self.center, border_value=self.pad_val,
                                  auto_bound=self.auto_bound)
        results['img_shape'] = results['pad_shape'] = results['img'].shape
        for key in results.get('seg_fields', ()):
            results[key] = imrotate(
                results[key], angle, self.center, border_value=self.seg_pad_val,
                interpolation='nearest', auto_bound=self.auto_bound)
        return results
