"""Flip, pad and rotate the image together with its label maps."""
from collections.abc import Sequence

import numpy as np

from mmcv_replace.image import imflip, impad, imrotate
from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results, Transform
from .checks import MAX_EDGE, check_fill, check_numbers, check_size
from .ignored import LabelFiller, room_for

DIRECTIONS = ('horizontal', 'vertical')
# Which axes are mirrored; two flips may add up to one along the diagonal.
AXES = {'horizontal': frozenset({1}), 'vertical': frozenset({0}), 'diagonal': frozenset({0, 1})}
UNFLIPPED = frozenset()


@PIPELINES.register_module()
class RandomFlip(Transform):
    """Flip with probability `prob`, or as `results['flip']` says where a test has set it.

    A test flips a view once: at the first of these steps, and not its padding, which predictions
    lose before they are turned back. Otherwise each step draws for itself, and `flip` and
    `flip_direction` tell what all of them together have made of the image, which may be 'diagonal'
    (both ways). `flip_ratio` is the former name of `prob`.
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
        decided_by = results.get('flip_from')
        if decided_by == 'test':
            return results
        before = UNFLIPPED
        if decided_by is None and 'flip' in results:
            results['flip_from'] = 'test'
            flip, direction = results['flip'], results.get('flip_direction', self.direction)
        else:
            if decided_by is not None and results['flip']:
                before = AXES[results['flip_direction']]
            results['flip_from'] = 'step'
            flip, direction = self._draw(), self.direction
        if flip:
            size = _unpadded(results) if results['flip_from'] == 'test' else None
            for key in ('img', *results.get('seg_fields', ())):
                results[key] = _flip(results[key], direction, size)
        axes = before ^ AXES[direction] if flip else before
        results['flip'] = bool(axes)
        results['flip_direction'] = next(
            (name for name, known in AXES.items() if known == axes), direction)
        return results

    def _draw(self) -> bool:
        if self.prob is None:
            raise ConfigError('RandomFlip: prob is missing; set it, or put RandomFlip into '
                              'MultiScaleFlipAug')
        return bool(np.random.rand() < self.prob)


def _unpadded(results: Results) -> tuple[int, int] | None:
    """The (height, width) without the padding at the right and bottom; None where there is none."""
    padded, inner = results.get('pad_shape'), results.get('img_shape')
    shape = results['img'].shape[:2]
    if padded is None or inner is None or tuple(padded[:2]) != shape or tuple(inner[:2]) == shape:
        return None
    return tuple(inner[:2])


def _flip(img: np.ndarray, direction: str, size: tuple[int, int] | None) -> np.ndarray:
    if size is None:
        return imflip(img, direction)
    flipped = img.copy()
    flipped[:size[0], :size[1]] = imflip(img[:size[0], :size[1]], direction)
    return flipped


@PIPELINES.register_module()
class Pad(LabelFiller):
    """Pad at the right and bottom: to `size` (height, width), or to multiples of `size_divisor`.

    Label maps get `seg_pad_val`, by default the value that the dataset ignores.
    """

    def __init__(
        self,
        size: tuple[int, int] | None = None,
        size_divisor: int | None = None,
        pad_val: float | Sequence[float] = 0,
        seg_pad_val: int | None = None,
    ) -> None:
        if (size is None) == (size_divisor is None):
            raise ConfigError('Pad: give either size or size_divisor')
        if size is not None:
            check_size('Pad', 'size', size)
        else:
            check_numbers('Pad', 'size_divisor', size_divisor, least=1, most=MAX_EDGE)
        check_fill('Pad', 'pad_val', pad_val)
        self.set_label_fill(seg_pad_val)
        self.size = size
        self.size_divisor = size_divisor
        self.pad_val = pad_val

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
            fill = self.label_fill(results)
            results[key] = _pad(room_for(results[key], fill), img.shape[:2], fill)
        return results


def _pad(img: np.ndarray, size: Sequence[int], value: float | Sequence[float]) -> np.ndarray:
    return img if img.shape[:2] == tuple(size) else impad(img, shape=size, pad_val=value)


@PIPELINES.register_module()
class RandomRotate(LabelFiller):
    """Rotate with probability `prob` by an angle drawn from `degree` (a number d means -d to d).

    Corners are filled with `pad_val`, those of label maps with `seg_pad_val`, by default the value
    that the dataset ignores. `auto_bound` enlarges the image so that nothing is cut off.

    OpenCV 4 places pixels to 1/32 only and 5 exactly: a fifth of the image's values differ between
    them, by a few steps, and one label in a thousand.
    """

    def __init__(
        self,
        prob: float,
        degree: float | tuple[float, float],
        pad_val: float | Sequence[float] = 0,
        seg_pad_val: int | None = None,
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
        self.set_label_fill(seg_pad_val)
        if center is not None:
            check_numbers('RandomRotate', 'center', center, 2)
            if auto_bound:
                raise ConfigError('RandomRotate: auto_bound moves the center: give one of both')
        self.prob = prob
        self.degree = degree
        self.pad_val = pad_val
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
            fill = self.label_fill(results)
            results[key] = imrotate(
                room_for(results[key], fill), angle, self.center, border_value=fill,
                interpolation='nearest', auto_bound=self.auto_bound)
        return results
