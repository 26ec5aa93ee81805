"""Convert any image to one that can be shown and written."""
import numpy as np

from ..utils.errors import DataError

# Floats with fractions may be resized uint8 values, whose maximum is rarely below this.
DARKEST = 16


def to_displayable(img: np.ndarray) -> np.ndarray:
    """Convert an image [H, W] or [H, W, C] of any type to BGR [H, W, 3] uint8.

    The first three channels are blue, green and red; of fewer the first is shown in grey. Values of
    other types than uint8 are kept if they seem to be from 0 to 255, multiplied by 255 if they seem
    to be from 0 to 1, and otherwise stretched from their minimum and maximum to 0 and 255. Raises
    DataError for an array of another shape.
    """
    if img.ndim not in (2, 3) or 0 in img.shape:
        raise DataError(f'an array {list(img.shape)} is no image to show: give [H, W] or [H, W, C]')
    channels = img[..., None] if img.ndim == 2 else img
    shown = _to_bytes(channels[..., :3] if channels.shape[2] >= 3 else channels[..., :1])
    return shown if shown.shape[2] == 3 else shown.repeat(3, axis=2)


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
