"""Change each value of an image by itself: look-up tables, inversion, fewer levels."""
import cv2
import numpy as np

from ..utils.errors import ConfigError, ConfigTypeError
from ..utils.logging import warn_once


def as_bytes(img: np.ndarray, what: str) -> np.ndarray:
    """Round an image to uint8; ConfigError, in which `what` needs that, for other values."""
    if img.dtype == np.uint8:
        return img
    low, high = (img.min(), img.max()) if img.size else (0, 0)
    if not (low >= 0 and high <= 255):  # NaN is in no range
        raise ConfigError(
            f'{what} needs values from 0 to 255, not {img.dtype} from {low:.6g} to {high:.6g}: put '
            'it before Normalize, bring values there by Rerange, or read files of more than 8 bits '
            "with color_type='color'")
    if 0 < high <= 1 and np.any(img != np.rint(img)):
        warn_once(f'{what} rounds values from 0 to 1 to whole ones, the two darkest of 256: bring '
                  'them to 0 to 255 before it, by Rerange')
    return np.rint(img).astype(np.uint8)


def lut_transform(img: np.ndarray, lut_table: np.ndarray) -> np.ndarray:
    """Replace each value by its entry in a table [256]; floats are rounded to uint8.

    Raises ConfigError for values outside of 0 to 255.
    """
    if np.shape(lut_table) != (256,) or not isinstance(lut_table, np.ndarray):
        raise ConfigTypeError('lut_transform: a table is an array [256], not '
                              f'{list(np.shape(lut_table))} of {type(lut_table).__name__}')
    return cv2.LUT(as_bytes(img, 'a table of 256 entries'), lut_table)


def solarize(img: np.ndarray, thr: int = 128) -> np.ndarray:
    """Invert the values (0 to 255) that are at least `thr`."""
    check_depth(img, 'solarize')
    return np.where(img < thr, img, 255 - img)


def posterize(img: np.ndarray, bits: int) -> np.ndarray:
    """Keep the highest `bits` of the eight bits of each value."""
    check_depth(img, 'posterize')
    shift = 8 - bits
    return img >> shift << shift


def iminvert(img: np.ndarray) -> np.ndarray:
    """255 minus each value."""
    check_depth(img, 'iminvert')
    return np.full_like(img, 255) - img


def check_depth(img: np.ndarray, what: str) -> None:
    """Raise ConfigError for integers outside of 0 to 255, which would be clipped."""
    if img.dtype.kind in 'iu' and img.dtype != np.uint8:
        as_bytes(img, what)
