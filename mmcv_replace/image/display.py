"""Convert any image to one that can be shown and written."""
from collections.abc import Sequence

import numpy as np

from ..utils.errors import ConfigError, DataError

# Floats with fractions may be resized uint8 values, whose maximum is rarely below this.
DARKEST = 16
SHARES = (2, 98)  # percentiles of a band that become black and full light


def to_displayable(img: np.ndarray, bands: Sequence[int] | None = None) -> np.ndarray:
    """Convert an image [H, W] or [H, W, C] of any type to BGR [H, W, 3] uint8.

    The first three channels are blue, green and red; of fewer the first is shown in grey. Values of
    other types than uint8 are kept if they seem to be from 0 to 255, multiplied by 255 if they seem
    to be from 0 to 1, and otherwise stretched from their minimum and maximum to 0 and 255.

    `bands`, counted from 0, are shown instead: three as red, green and blue, or one in grey. Of
    other types than uint8 each is stretched from its 2nd and 98th percentile to 0 and 255.

    Raises DataError for an array of another shape, and ConfigError for bands that it lacks.
    """
    if img.ndim not in (2, 3) or 0 in img.shape:
        raise DataError(f'an array {list(img.shape)} is no image to show: give [H, W] or [H, W, C]')
    channels = img[..., None] if img.ndim == 2 else img
    if bands is not None:
        return _show_bands(channels, bands)
    shown = _to_bytes(channels[..., :3] if channels.shape[2] >= 3 else channels[..., :1])
    return shown if shown.shape[2] == 3 else shown.repeat(3, axis=2)


def show_first(channels: int) -> tuple[int, ...]:
    """The default `bands` of an image of `channels` bands in the order of its file."""
    return (0, 1, 2) if channels >= 3 else (0,)


def _show_bands(img: np.ndarray, bands: Sequence[int]) -> np.ndarray:
    if len(bands) not in (1, 3) or not all(0 <= band < img.shape[2] for band in bands):
        raise ConfigError(f'bands to show {list(bands)}: give one or three numbers of bands of the '
                          f'image, which are 0 to {img.shape[2] - 1}')
    shown = [_stretch(img[..., band]) for band in bands]
    return np.stack(shown[::-1] if len(shown) == 3 else shown * 3, axis=2)


def _stretch(values: np.ndarray) -> np.ndarray:
    """A band [H, W] in uint8, stretched unless it is of that type already."""
    if values.dtype == np.uint8:
        return values
    values = values.astype(np.float64)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, SHARES) if finite.size else (0, 0)
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    share = (values - low) / (high - low) if high > low else (values > low).astype(np.float64)
    return np.round(np.clip(share, 0, 1) * 255).astype(np.uint8)


def _to_bytes(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values * np.uint8(255)
    values = values.astype(np.float64)
    finite = np.isfinite(values)
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0, 0)
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    whole = np.abs(values - np.round(values)).max() < 1e-3  # up to rounding
    if low >= 0 and high <= 1 and not whole:
        values = values * 255
    elif low < -0.5 or high > 255.5 or (high < DARKEST and not whole):
        values = (values - low) / (high - low or 1) * 255
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
