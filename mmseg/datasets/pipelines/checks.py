"""Checks of settings that several steps share; each raises ConfigError."""
import math
from collections.abc import Sequence

import numpy as np

from mmcv_replace.utils.errors import ConfigError

# OpenCV's warps store coordinates of pixels in 16 bits.
MAX_EDGE = 2**15 - 1

Numbers = float | Sequence[float]


def is_size(value: object) -> bool:
    """Whether a value is a pair of whole numbers of at least 1."""
    return isinstance(value, list | tuple) and len(value) == 2 and all(
        isinstance(edge, int) and edge > 0 for edge in value)


def check_size(owner: str, name: str, size: Sequence[int]) -> None:
    """Two whole numbers from 1 to `MAX_EDGE`."""
    if not is_size(size) or max(size) > MAX_EDGE:
        raise ConfigError(f'{owner}: {name}={size!r}: give two whole numbers from 1 to {MAX_EDGE}')


def check_numbers(owner: str, name: str, value: Numbers, count: int | None = None,
                  least: float = -math.inf, most: float = math.inf) -> None:
    """A finite number, or `count` of them, from `least` to `most`."""
    values = [value] if count is None else value
    wanted = 'a number' if count is None else f'{count} numbers'
    if not (isinstance(values, list | tuple) and len(values) == (count or 1)
            and all(isinstance(item, int | float) and math.isfinite(item) and least <= item <= most
                    for item in values)):
        limits = ''.join(f' {word} {limit:g}' for word, limit in (('from', least), ('to', most))
                         if math.isfinite(limit))
        raise ConfigError(f'{owner}: {name}={value!r}: give {wanted}{limits}')


def check_fill(owner: str, name: str, value: Numbers) -> None:
    """A finite number, or one for each channel."""
    count = len(value) if isinstance(value, list | tuple) else None
    if count == 0:
        raise ConfigError(f'{owner}: {name}={value!r}: give a number, or one a channel')
    check_numbers(owner, name, value, count)


def fill_values(owner: str, name: str, value: Numbers, img: np.ndarray) -> np.ndarray:
    """A number, or one for each channel, in the type of an image, within its limits."""
    values = np.unique(value)  # of equal ones, one does for any number of channels
    channels = 1 if img.ndim < 3 else img.shape[2]
    if len(values) > 1 and len(value) != channels:
        raise ConfigError(f'{owner}: {name}={value!r} does not fit an image of shape {img.shape}: '
                          'give a number, or one for each channel')
    values = values[0] if len(values) == 1 else np.array(value)
    if img.dtype.kind in 'iu':
        limits = np.iinfo(img.dtype)
        values = np.rint(values).clip(limits.min, limits.max)
    return values.astype(img.dtype)


def check_names(owner: str, name: str, value: Sequence[str]) -> None:
    """A list of strings, and not a single string."""
    if not (isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)):
        raise ConfigError(f"{owner}: {name}={value!r}: give a list of names, such as ['img']")
