"""Flip, pad and rotate the image together with its label maps."""
from collections.abc import Sequence

import numpy as np

from mmcv_replace.image import imflip, impad, impad_to_multiple, imrotate
from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results, Transform

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
        self.size = size
        self.size_divisor = size_divisor
        self.pad_val = pad_val
        self.seg_pad_val = seg_pad_val

    def __call__(self, results: Results) -> Results:
        if self.size is not None:
            img = impad(results['img'], shape=self.size, pad_val=self.pad_val)
        else:
            img = impad_to_multiple(results['img'], self.size_divisor, pad_val=self.pad_val)
        results.update(
            img=img,
            pad_shape=img.shape,
            pad_fixed_size=self.size,
            pad_size_divisor=self.size_divisor)
        for key in results.get('seg_fields', ()):
            results[key] = impad(results[key], shape=img.shape[:2], pad_val=self.seg_pad_val)
        return results


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
