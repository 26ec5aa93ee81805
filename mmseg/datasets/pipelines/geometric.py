"""Flip, pad and rotate the image together with its label maps."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mmcv_replace.image import imflip, impad, imrotate
from mmcv_replace.utils.errors import ConfigError
from mmseg.core import is_own, standard

from ..builder import PIPELINES
from .base import Results, Transform
from .checks import MAX_EDGE, check_fill, check_numbers, check_size
from .ignored import UNSET, LabelFiller, room_for

Size = tuple[int, int]  # (height, width)
DIRECTIONS = ('horizontal', 'vertical')
# Which axes are mirrored; two flips may add up to one along the diagonal.
AXES = {'horizontal': frozenset({1}), 'vertical': frozenset({0}), 'diagonal': frozenset({0, 1})}


class Flip(NamedTuple):
    """Parameters of a `RandomFlip`."""

    flip: bool
    direction: str
    size: Size | None = None  # what is mirrored, None for all of the image
    source: str = 'step'  # or 'test', where `results['flip']` requests the flip


@PIPELINES.register_module()
class RandomFlip(Transform):
    """Mirror the sample with probability `prob`, or as requested by `results['flip']`.

    Each step draws for itself; `flip` and `flip_direction` describe the flips of all steps together
    ('diagonal' is both ways). Test-time augmentation requests a flip by setting both keys. The
    first step carries it out and later ones leave the sample alone; padding stays at the right and
    bottom, as it is cut off predictions before they are flipped back. `flip_from` tells a request
    ('test') from a draw ('step'). `flip_ratio` is the former name of `prob`.
    """

    def __init__(self, prob: float | None = None, direction: str = 'horizontal',
                 flip_ratio: float | None = None) -> None:
        if prob is not None and flip_ratio is not None:
            raise ConfigError('RandomFlip: flip_ratio is the former name of prob; give prob only')
        self.prob = flip_ratio if prob is None else prob
        self.direction = direction
        if self.prob is not None and not 0 <= self.prob <= 1:
            raise ConfigError(f'RandomFlip: prob={self.prob} is no probability; give 0 to 1')
        if direction not in DIRECTIONS:
            raise ConfigError(f'RandomFlip: direction={direction!r}: choose one of '
                              f'{", ".join(DIRECTIONS)}')

    def draw(self, results: Results) -> Flip | None:
        """None where an earlier step has carried out the requested flip."""
        source = results.get('flip_from')
        if source == 'test':
            return None
        if source is None and 'flip' in results:
            return Flip(results['flip'], results.get('flip_direction', self.direction),
                        _unpadded(results), 'test')
        if self.prob is None:
            raise ConfigError('RandomFlip: prob is missing; set it, or put RandomFlip into '
                              'MultiScaleFlipAug')
        return Flip(bool(np.random.rand() < self.prob), self.direction)

    def describe(self, params: Flip | None) -> dict[str, Any]:
        if params is None:
            return {'flip': 'carried out by an earlier step'}
        return {'flip': params.direction if params.flip else 'no'}

    def apply_image(self, img: np.ndarray, params: Flip | None) -> np.ndarray:
        if params is None or not params.flip:
            return img
        if params.size is None:
            return imflip(img, params.direction)
        height, width = params.size
        flipped = img.copy()
        flipped[:height, :width] = imflip(img[:height, :width], params.direction)
        return flipped

    apply_label = apply_image

    def record(self, results: Results, params: Flip | None) -> None:
        if params is None:
            return
        flipped = 'flip_from' in results and results['flip']
        before = AXES[results['flip_direction']] if flipped else frozenset()
        axes = before ^ AXES[params.direction] if params.flip else before
        results.update(
            flip=bool(axes), flip_from=params.source,
            flip_direction=next((name for name, known in AXES.items() if known == axes),
                                params.direction))


def _unpadded(results: Results) -> Size | None:
    """The (height, width) without the padding at the right and bottom; None where there is none."""
    padded, inner = results.get('pad_shape'), results.get('img_shape')
    shape = results['img'].shape[:2]
    if padded is None or inner is None or tuple(padded[:2]) != shape or tuple(inner[:2]) == shape:
        return None
    return tuple(inner[:2])


@PIPELINES.register_module()
class Pad(LabelFiller):
    """Pad at the right and bottom: to `size` (height, width), or to multiples of `size_divisor`.

    Label maps are filled with `seg_pad_val`, by default the dataset's `ignore_index`.
    """

    fusible = True

    def __init__(self, size: Size | None = None, size_divisor: int | None = None,
                 pad_val: float | Sequence[float] = 0, seg_pad_val: int | None = UNSET) -> None:
        if (size is None) == (size_divisor is None):
            raise ConfigError('Pad: give either size or size_divisor')
        if size is not None:
            check_size('Pad', 'size', size)
        else:
            check_numbers('Pad', 'size_divisor', size_divisor, least=1, most=MAX_EDGE)
        check_fill('Pad', 'pad_val', pad_val)
        self.size = size
        self.size_divisor = size_divisor
        self.pad_val = pad_val
        self._set_fill(seg_pad_val)

    def __call__(self, results: Results) -> Results:
        if not (is_own(self, '_pad_img') or is_own(self, '_pad_seg')):
            return super().__call__(results)
        self._pad_img(results)
        self._pad_seg(results)
        return results

    def draw(self, results: Results) -> tuple[Size, int | None]:
        """The padded (height, width) and the label to fill with; draws nothing."""
        size = self.size or tuple(-(-edge // self.size_divisor) * self.size_divisor
                                  for edge in results['img'].shape[:2])
        return size, self.label_fill(results)

    def describe(self, params: Any) -> dict[str, Any]:
        return {}

    def apply_image(self, img: np.ndarray, params: tuple[Size, int | None]) -> np.ndarray:
        return _pad(img, params[0], self.pad_val)

    def apply_label(self, label: np.ndarray, params: tuple[Size, int]) -> np.ndarray:
        size, fill = params
        return _pad(room_for(label, fill), size, fill)

    def record(self, results: Results, params: Any) -> None:
        results.update(pad_shape=results['img'].shape, pad_fixed_size=self.size,
                       pad_size_divisor=self.size_divisor)

    # A subclass may override the two, and call them, as in mmsegmentation 0.x.
    @standard
    def _pad_img(self, results: Results) -> None:
        """Pad the image."""
        params = self.draw(results)
        results['img'] = self.apply_image(results['img'], params)
        self.record(results, params)

    @standard
    def _pad_seg(self, results: Results) -> None:
        """Pad the label maps to the size of the image."""
        params = results['pad_shape'][:2], self.label_fill(results)
        for key in results.get('seg_fields', ()):
            results[key] = self.apply_label(results[key], params)


def _pad(img: np.ndarray, size: Sequence[int], value: float | Sequence[float]) -> np.ndarray:
    check_room(img.shape, size)
    return img if img.shape[:2] == tuple(size) else impad(img, shape=size, pad_val=value)


def check_room(shape: Sequence[int], size: Sequence[int]) -> None:
    """Raise ConfigError where an image of `shape` does not fit into `size` (height, width)."""
    height, width = shape[:2]
    if size[0] < height or size[1] < width:
        raise ConfigError(f'cannot pad an image of {height} x {width} (height x width) to the '
                          f'smaller {size[0]} x {size[1]}: resize or crop it first')


@PIPELINES.register_module()
class RandomRotate(LabelFiller):
    """Rotate with probability `prob` by an angle in degrees drawn from `degree`.

    `degree` is (lowest, highest); a number d means (-d, d), clockwise. `center` is (x, y), the
    middle of the image by default. Corners are filled with `pad_val`, and with `seg_pad_val` in
    label maps, the dataset's `ignore_index` by default. `auto_bound` enlarges the image so that
    nothing is cut off.

    OpenCV 4 rounds the places of pixels to 1/32, OpenCV 5 does not: between both a fifth of the
    image's values differ by a few steps, and one label in a thousand differs.
    """

    def __init__(self, prob: float, degree: float | tuple[float, float],
                 pad_val: float | Sequence[float] = 0, seg_pad_val: int | None = UNSET,
                 center: tuple[float, float] | None = None, auto_bound: bool = False) -> None:
        if not 0 <= prob <= 1:
            raise ConfigError(f'RandomRotate: prob={prob} is no probability; give 0 to 1')
        single = isinstance(degree, int | float)
        if degree <= 0 if single else len(degree) != 2:
            raise ConfigError(f'RandomRotate: degree={degree}: give a positive number, or (lowest, '
                              'highest)')
        degree = (-degree, degree) if single else degree
        check_numbers('RandomRotate', 'degree', degree, 2)
        check_fill('RandomRotate', 'pad_val', pad_val)
        if center is not None:
            check_numbers('RandomRotate', 'center', center, 2)
            if auto_bound:
                raise ConfigError('RandomRotate: auto_bound moves the center: give one of both')
        self.prob = prob
        self.degree = degree
        self.pad_val = pad_val
        self._set_fill(seg_pad_val)
        self.center = center
        self.auto_bound = auto_bound

    def draw(self, results: Results) -> tuple[float, int | None] | None:
        """The angle and the label to fill with; None where the sample is not rotated."""
        rotate = np.random.rand() < self.prob
        angle = np.random.uniform(min(self.degree), max(self.degree))
        return (angle, self.label_fill(results)) if rotate else None

    def describe(self, params: tuple[float, int | None] | None) -> dict[str, Any]:
        return {'rotate': 'no'} if params is None else {'degrees': params[0]}

    def apply_image(self, img: np.ndarray, params: tuple[float, int | None] | None) -> np.ndarray:
        return img if params is None else imrotate(
            img, params[0], self.center, border_value=self.pad_val, auto_bound=self.auto_bound)

    def apply_label(self, label: np.ndarray, params: tuple[float, int] | None) -> np.ndarray:
        if params is None:
            return label
        angle, fill = params
        return imrotate(room_for(label, fill), angle, self.center, border_value=fill,
                        interpolation='nearest', auto_bound=self.auto_bound)

    def record(self, results: Results, params: Any) -> None:
        if params is not None:
            results['img_shape'] = results['pad_shape'] = results['img'].shape
