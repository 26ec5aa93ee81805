"""Spread the values of an image by its histogram."""
from collections.abc import Callable
from numbers import Real

import cv2
import numpy as np

from ..utils.errors import ConfigError, ConfigTypeError
from .levels import as_bytes


def clahe(img: np.ndarray, clip_limit: float = 40.0,
          tile_grid_size: tuple[int, int] = (8, 8)) -> np.ndarray:
    """Contrast limited adaptive histogram equalisation of one channel [H, W], uint8 or uint16.

    Other types are rounded to uint8. Raises ConfigError for values outside of 0 to 255.
    """
    if img.ndim != 2:
        raise ConfigError(f'CLAHE takes one channel [H, W], not {list(img.shape)}')
    if not isinstance(clip_limit, Real):
        raise ConfigTypeError(f'CLAHE: clip_limit={clip_limit!r} is no number')
    if not isinstance(tile_grid_size, tuple) or [type(n) for n in tile_grid_size] != [int, int]:
        raise ConfigTypeError(f'CLAHE: tile_grid_size={tile_grid_size!r} is no tuple of two whole '
                              'numbers')
    channel = img if img.dtype == np.uint16 else as_bytes(img, 'CLAHE')
    return cv2.createCLAHE(clip_limit, tile_grid_size).apply(channel)


def imequalize(img: np.ndarray) -> np.ndarray:
    """Equalise the histogram of each channel, as Pillow does; img: [H, W] or [H, W, C] uint8.

    Other types are rounded to uint8. Raises ConfigError for values outside of 0 to 255.
    """
    return _by_channel(as_bytes(img, 'imequalize'), _equalizing).astype(img.dtype)


def auto_contrast(img: np.ndarray, cutoff: float | tuple[float, float] = 0) -> np.ndarray:
    """Stretch each channel to 0 to 255, as Pillow does; img: [H, W] or [H, W, C] uint8.

    `cutoff` is the percentage of pixels at the dark and the bright end, or one for each, that need
    not be kept apart. Raises ConfigError for values outside of 0 to 255.
    """
    dark, bright = (cutoff, cutoff) if isinstance(cutoff, Real) else _two(cutoff)
    return _by_channel(as_bytes(img, 'auto_contrast'), lambda counts: _stretching(
        counts, dark, bright)).astype(img.dtype)


def _two(cutoff: tuple[float, float]) -> tuple[float, float]:
    if isinstance(cutoff, tuple) and len(cutoff) == 2:
        return cutoff
    raise ConfigTypeError(f'auto_contrast: cutoff={cutoff!r}: give a number or a tuple of two')


def _by_channel(img: np.ndarray, table: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Look the values of each channel up in the `table` of its counts [256]."""
    channels = img[..., None] if img.ndim == 2 else img
    changed = [table(np.bincount(values.ravel(), minlength=256)).astype(np.uint8)[values]
               for values in np.moveaxis(channels, 2, 0)]
    return np.stack(changed, axis=2).reshape(img.shape)


def _equalizing(counts: np.ndarray) -> np.ndarray:
    step = counts[counts > 0][:-1].sum() // 255
    if step == 0:
        return np.arange(256)
    darker = np.cumsum(counts) - counts
    return np.minimum((darker + step // 2) // step, 255)


def _stretching(counts: np.ndarray, dark: float, bright: float) -> np.ndarray:
    total = np.cumsum(counts)
    number = total[-1]
    low = np.searchsorted(total, number * dark // 100, side='right')
    high = np.searchsorted(total, number - number * bright // 100)
    if low >= high:
        return np.arange(256)
    scale = 255.0 / (high - low)
    return np.clip(np.arange(256) * scale - low * scale, 0, 255)
