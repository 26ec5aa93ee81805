"""Pad images [H, W] or [H, W, C]."""
from collections.abc import Sequence

import numpy as np

from ..utils.errors import ConfigError, ConfigTypeError
from .resize import Number, check_choice

PADDING_MODES = ('constant', 'edge', 'reflect', 'symmetric')


def impad(img: np.ndarray, *, shape: tuple[int, int] | None = None,
          padding: int | tuple[int, ...] | None = None, pad_val: Number | Sequence[Number] = 0,
          padding_mode: str = 'constant') -> np.ndarray:
    """Pad at the right and bottom to `shape` (height, width), or by `padding`.

    `padding` is one number, (left and right, top and bottom) or (left, top, right, bottom).
    An edge that is longer than that of `shape` stays. `pad_val` is a number, or one for each
    channel; `padding_mode` one of `PADDING_MODES`. Raises ConfigError for what these are not,
    OverflowError for a `pad_val` beyond an integer type.
    """
    if (shape is None) == (padding is None):
        raise ConfigError('impad takes either shape or padding: give exactly one of both')
    check_choice('padding_mode', padding_mode, PADDING_MODES)
    height, width = img.shape[:2]
    if shape is not None:
        left = top = 0
        bottom, right = max(shape[0] - height, 0), max(shape[1] - width, 0)
    else:
        left, top, right, bottom = _four_sides(padding)
    if padding_mode != 'constant':
        sides = ((top, bottom), (left, right), (0, 0))[:img.ndim]
        return np.pad(img, sides, mode=padding_mode)
    padded = np.empty((top + height + bottom, left + width + right, *img.shape[2:]), img.dtype)
    padded[...] = _fitting(pad_val, img)
    padded[top:top + height, left:left + width] = img
    return padded


def _fitting(value: Number | Sequence[Number], img: np.ndarray) -> np.ndarray:
    """`value` as an array; OverflowError where an integer type would wrap it around."""
    values = np.asarray(value)
    if values.dtype.kind not in 'biuf':
        raise ConfigTypeError(f'pad_val={value!r} is neither a number nor a tuple of numbers')
    channels = 1 if img.ndim == 2 else img.shape[2]
    if values.ndim and values.shape != (channels,):
        raise ConfigError(f'pad_val={value!r} has the shape {list(values.shape)}: give a number, '
                          f'or one for each of the {channels} channels of the image')
    if img.dtype.kind in 'iu' and values.dtype.kind in 'iuf':
        limits = np.iinfo(img.dtype)
        if np.any((values < limits.min) | (values > limits.max)):
            raise OverflowError(f'pad_val={value} is out of the range of {img.dtype}, '
                                f'{limits.min} to {limits.max}')
    return values


def impad_to_multiple(img: np.ndarray, divisor: int,
                      pad_val: Number | Sequence[Number] = 0) -> np.ndarray:
    """Pad at the right and bottom so that both edges are multiples of `divisor`."""
    height, width = (-(-edge // divisor) * divisor for edge in img.shape[:2])
    return impad(img, shape=(height, width), pad_val=pad_val)


def _four_sides(padding: int | tuple[int, ...]) -> tuple[int, ...]:
    if isinstance(padding, int):
        return (padding,) * 4
    if len(padding) == 2:
        return (*padding, *padding)
    if len(padding) == 4:
        return tuple(padding)
    raise ConfigError(f'cannot read padding={padding!r}: give one, two or four numbers')
