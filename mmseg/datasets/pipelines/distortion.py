"""Random changes of brightness, contrast, saturation and hue."""
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np

from mmcv_replace.image import bgr2hsv, hsv2bgr
from mmcv_replace.utils.errors import ConfigError
from mmseg.core import is_own, standard

from ..builder import PIPELINES
from .base import Results, Transform
from .checks import check_numbers

HUES = 180  # OpenCV stores the hue of uint8 images in steps of two degrees
LEVELS = np.arange(256, dtype=np.uint8)
# The same as rows of one pixel, for which OpenCV has other code than for many in a row.
LONE_LEVELS = LEVELS.repeat(2).reshape(256, 2)[:, :1]
ORDER = ('contrast', 'saturation', 'hue')

# A channel of HSV (None: all channels of BGR) and what gives its new values; None: no change.
Change = tuple[int | None, Callable[[np.ndarray], np.ndarray]] | None


@PIPELINES.register_module()
class PhotoMetricDistortion(Transform):
    """Change the colours of a uint8 BGR image, each property with probability one half.

    Brightness first, then contrast, saturation and hue, or contrast last (drawn with equal
    probability). After each change values are clipped to 0 to 255 and truncated to integers.
    `brightness_delta` and `hue_delta` (in steps of two degrees) are the largest shifts, the ranges
    are those of the factors.
    """

    def __init__(self, brightness_delta: int = 32,
                 contrast_range: tuple[float, float] = (0.5, 1.5),
                 saturation_range: tuple[float, float] = (0.5, 1.5), hue_delta: int = 18) -> None:
        name = type(self).__name__
        check_numbers(name, 'brightness_delta', brightness_delta, least=0, most=255)
        check_numbers(name, 'contrast_range', contrast_range, 2, least=0, most=255)
        check_numbers(name, 'saturation_range', saturation_range, 2, least=0, most=255)
        check_numbers(name, 'hue_delta', hue_delta, least=1, most=HUES)
        self.brightness_delta = brightness_delta
        self.contrast_lower, self.contrast_upper = contrast_range
        self.saturation_lower, self.saturation_upper = saturation_range
        self.hue_delta = hue_delta

    def __call__(self, results: Results) -> Results:
        # A subclass may override one of the four methods, as in mmsegmentation 0.x.
        if not any(is_own(self, name) for name in ('brightness', *ORDER)):
            return super().__call__(results)
        img = self.brightness(self.apply_image(results['img'], []))
        for what in _draw_order():
            img = getattr(self, what)(img)
        return self.finish(results, img, None)

    def draw(self, results: Results) -> list[Change]:
        """The changes in their order, with None for each that is left out."""
        brightness = self._draw_change('brightness')
        return [brightness, *map(self._draw_change, _draw_order())]

    def describe(self, params: list[Change]) -> dict[str, Any]:
        """The changes in their order, with what is added or multiplied; then those left out."""
        made = dict(_describe_change(change) for change in params if change is not None)
        left = [name for name in ('brightness', *ORDER) if name not in made]
        return made | ({'unchanged': ', '.join(left)} if left else {})

    def apply_image(self, img: np.ndarray, params: list[Change]) -> np.ndarray:
        if img.dtype != np.uint8 or img.ndim != 3 or img.shape[2] != 3:
            raise ConfigError(
                f'PhotoMetricDistortion needs a uint8 image [H, W, 3], not {img.dtype} '
                f'{img.shape}: put it before Normalize, and load without to_float32; for images '
                'of more bands or bits leave it out')
        for change in params:
            img = self._apply(img, change)
        return img

    @standard
    def convert(self, img: np.ndarray, alpha: float = 1, beta: float = 0) -> np.ndarray:
        """alpha * value + beta, clipped and truncated to uint8; a subclass may override it."""
        return np.clip(np.float32(img) * alpha + beta, 0, 255).astype(np.uint8)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(brightness_delta={self.brightness_delta}, contrast_range='
                f'({self.contrast_lower}, {self.contrast_upper}), saturation_range='
                f'({self.saturation_lower}, {self.saturation_upper}), hue_delta={self.hue_delta})')

    # Each makes one change alone; a subclass may override them.
    @standard
    def brightness(self, img: np.ndarray) -> np.ndarray:
        return self._apply(img, self._draw_change('brightness'))

    @standard
    def contrast(self, img: np.ndarray) -> np.ndarray:
        return self._apply(img, self._draw_change('contrast'))

    @standard
    def saturation(self, img: np.ndarray) -> np.ndarray:
        return self._apply(img, self._draw_change('saturation'))

    @standard
    def hue(self, img: np.ndarray) -> np.ndarray:
        return self._apply(img, self._draw_change('hue'))

    def _draw_change(self, what: str) -> Change:
        if not np.random.randint(2):
            return None
        if what == 'brightness':
            delta = self.brightness_delta
            return None, partial(self.convert, beta=np.random.uniform(-delta, delta))
        if what == 'contrast':
            factor = np.random.uniform(self.contrast_lower, self.contrast_upper)
            return None, partial(self.convert, alpha=factor)
        if what == 'saturation':
            factor = np.random.uniform(self.saturation_lower, self.saturation_upper)
            return 1, partial(self.convert, alpha=factor)
        return 0, partial(_turn, shift=np.random.randint(-self.hue_delta, self.hue_delta))

    def _apply(self, img: np.ndarray, change: Change) -> np.ndarray:
        if change is None:
            return img
        channel, convert = change
        if channel is None:
            return self._new_values(img, convert)
        channels = list(cv2.split(bgr2hsv(img)))
        channels[channel] = self._new_values(channels[channel], convert)
        return hsv2bgr(cv2.merge(channels))

    def _new_values(self, img: np.ndarray,
                    convert: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        if is_own(self, 'convert'):  # which may look at the whole image
            return convert(img)
        table = convert(LEVELS)
        quick = _quick_form(**convert.keywords)
        if quick is not None and all(quick(levels).tobytes() == table.tobytes()
                                     for levels in (LEVELS, LONE_LEVELS)):
            return quick(img)
        return cv2.LUT(img, table)


def _quick_form(alpha: float = 1, beta: float = 0, shift: int | None = None,
                ) -> Callable[[np.ndarray], np.ndarray] | None:
    """A function of OpenCV that is several times faster than a table, and in nearly all cases gives
    the same values as `convert`: it rounds what that truncates.
    """
    if shift is not None:
        return None
    if alpha != 1:
        return partial(cv2.convertScaleAbs, alpha=alpha, beta=beta - 0.5)
    whole = math.floor(beta)
    return partial(cv2.add if whole >= 0 else cv2.subtract, src2=(abs(whole),) * 4)


def _describe_change(change: tuple[int | None, Callable[[np.ndarray], np.ndarray]]
                     ) -> tuple[str, str]:
    channel, convert = change
    (value,) = convert.keywords.values()
    if channel is None and 'beta' in convert.keywords:
        return 'brightness', f'{value:+.1f}'
    if channel == 0:
        return 'hue', f'{2 * value:+d} degrees'
    return 'contrast' if channel is None else 'saturation', f'x {value:.3f}'


def _turn(hues: np.ndarray, shift: int) -> np.ndarray:
    return ((hues.astype(np.int16) + shift) % HUES).astype(np.uint8)


def _draw_order() -> tuple[str, ...]:
    """The order of the changes after that of the brightness."""
    contrast_last = np.random.randint(2) == 0
    return (*ORDER[1:], ORDER[0]) if contrast_last else ORDER
