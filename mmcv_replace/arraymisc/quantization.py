"""Divide a range of values into levels of equal size."""
import numpy as np

from ..utils.errors import ConfigError


def quantize(arr: np.ndarray, min_val: float, max_val: float, levels: int,
             dtype: type = np.int64) -> np.ndarray:
    """The level of each value, from 0 to `levels` - 1; values out of the range are clipped.

    Raises ConfigError for less than two levels and an empty range.
    """
    _check(min_val, max_val, levels)
    offset = np.clip(arr, min_val, max_val) - min_val
    return np.minimum(np.floor(levels * offset / (max_val - min_val)).astype(dtype), levels - 1)


def dequantize(arr: np.ndarray, min_val: float, max_val: float, levels: int,
               dtype: type = np.float64) -> np.ndarray:
    """The value in the middle of each level.

    Raises ConfigError for less than two levels and an empty range.
    """
    _check(min_val, max_val, levels)
    return (arr + 0.5).astype(dtype) * (max_val - min_val) / levels + min_val


def _check(min_val: float, max_val: float, levels: int) -> None:
    if not isinstance(levels, int) or levels <= 1:
        raise ConfigError(f'levels={levels!r}: give a whole number above 1')
    if min_val >= max_val:
        raise ConfigError(f'min_val={min_val} is not below max_val={max_val}')
