"""Rotate, shear and shift images [H, W] or [H, W, C]."""
from collections.abc import Sequence
from numbers import Real

import cv2
import numpy as np

from ..utils.errors import ConfigError
from .groups import SCALAR, groups_of, in_groups
from .resize import Number, check_choice, cv2_interp_codes

cv2_border_modes = {
    'constant': cv2.BORDER_CONSTANT,
    'replicate': cv2.BORDER_REPLICATE,
    'reflect': cv2.BORDER_REFLECT,
    'wrap': cv2.BORDER_WRAP,
    'reflect_101': cv2.BORDER_REFLECT_101,
    'transparent': cv2.BORDER_TRANSPARENT,
    'isolated': cv2.BORDER_ISOLATED,
}
DIRECTIONS = ('horizontal', 'vertical')


def imrotate(img: np.ndarray, angle: float, center: tuple[float, float] | None = None,
             scale: float = 1.0, border_value: Number | Sequence[Number] = 0,
             interpolation: str = 'bilinear', auto_bound: bool = False,
             border_mode: str = 'constant') -> np.ndarray:
    """Rotate clockwise by `angle` degrees around `center` (x, y), by default the middle.

    `auto_bound` enlarges the result so that nothing is cut off. Raises ConfigError for both.
    `border_mode`, one of `cv2_border_modes`, says what lies beyond the image.
    """
    if auto_bound and center is not None:
        raise ConfigError('imrotate cannot keep a center with auto_bound=True: give one of both')
    height, width = img.shape[:2]
    if center is None:
        center = ((width - 1) / 2, (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(center, -angle, scale)
    if auto_bound:
        cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
        new_width, new_height = height * sin + width * cos, height * cos + width * sin
        matrix[:, 2] += (new_width - width) / 2, (new_height - height) / 2
        width, height = round(new_width), round(new_height)
    return _warp(img, matrix, (width, height), border_value, interpolation, border_mode)


def imshear(img: np.ndarray, magnitude: Number, direction: str = 'horizontal',
            border_value: Number | tuple[Number, ...] = 0,
            interpolation: str = 'bilinear') -> np.ndarray:
    """Move each row to the right ('horizontal') or column down ('vertical') by its number.

    The number, counted from 0, is multiplied by `magnitude`. `border_value` fills what is freed: a
    number, or a tuple of one for each channel.
    """
    check_choice('direction of imshear', direction, DIRECTIONS)
    matrix = np.eye(2, 3, dtype=np.float32)
    matrix[(0, 1) if direction == 'horizontal' else (1, 0)] = magnitude
    return _warp(img, matrix, img.shape[1::-1], _each_channel(border_value, img), interpolation)


def imtranslate(img: np.ndarray, offset: Number, direction: str = 'horizontal',
                border_value: Number | tuple[Number, ...] = 0,
                interpolation: str = 'bilinear') -> np.ndarray:
    """Move the image by `offset` pixels to the right ('horizontal') or down ('vertical').

    `border_value` fills what is freed: a number, or a tuple of one for each channel.
    """
    check_choice('direction of imtranslate', direction, DIRECTIONS)
    matrix = np.eye(2, 3, dtype=np.float32)
    matrix[DIRECTIONS.index(direction), 2] = offset
    return _warp(img, matrix, img.shape[1::-1], _each_channel(border_value, img), interpolation)


def _warp(img: np.ndarray, matrix: np.ndarray, size: tuple[int, int],
          border_value: Number | Sequence[Number], interpolation: str,
          border_mode: str = 'constant') -> np.ndarray:
    check_choice('interpolation', interpolation, cv2_interp_codes)
    check_choice('border_mode', border_mode, cv2_border_modes)
    channels = 1 if img.ndim == 2 else img.shape[2]
    groups = _groups(channels)
    if isinstance(border_value, Real):
        border_value = (border_value,) * max(channels, SCALAR)
    elif len(border_value) < channels and (len(border_value) > 1 or len(groups) > 1):
        raise ConfigError(f'{len(border_value)} values to fill with, {border_value}, but the image '
                          f'has {channels} channels: give a number, or one for each')
    return in_groups(lambda part, group: cv2.warpAffine(
        part, matrix, size, flags=cv2_interp_codes[interpolation],
        borderMode=cv2_border_modes[border_mode],
        borderValue=border_value[group] if len(groups) > 1 else border_value), img, groups)


def _groups(channels: int) -> list[slice]:
    """Groups of one, three or four channels.

    Of two, and of more than four, OpenCV 5 rounds the places of pixels to 1/32, as OpenCV 4 did.
    Of more than four both repeat the first four values of the border.
    """
    groups = groups_of(channels, SCALAR)
    last = groups[-1]
    if last.stop - last.start != 2:
        return groups
    return [*groups[:-1], *(slice(place, place + 1) for place in (last.start, last.start + 1))]


def _each_channel(value: Number | tuple[Number, ...], img: np.ndarray,
                  ) -> Number | tuple[Number, ...]:
    """`value`; ConfigError unless it is a number or a tuple of one for each channel."""
    channels = 1 if img.ndim == 2 else img.shape[2]
    if isinstance(value, Real) or isinstance(value, tuple) and len(value) == channels:
        return value
    raise ConfigError(f'border_value={value!r}: give a number, or a tuple of {channels} for the '
                      'channels of the image')
