"""Change the values of pixels: normalisation, look-up tables, brightness, contrast."""
from collections.abc import Sequence

import cv2
import numpy as np

from ..utils.errors import ConfigError
from ..utils.logging import warn_once
from .colorspace import bgr2gray, gray2bgr

Channels = Sequence[float] | np.ndarray


def imnormalize(img: np.ndarray, mean: Channels, std: Channels, to_rgb: bool = True) -> np.ndarray:
    """(img - mean) / std in float32; `to_rgb` turns BGR into RGB before it."""
    if img.dtype == np.uint8 and img.ndim == 3 and img.shape[2] == np.size(mean):
        img = cv2.cvtColor(img, cv2.COLOR_BGR2RGB) if to_rgb else img
        return cv2.LUT(img, normalize_table(mean, std))
    return imnormalize_(img.astype(np.float32, order='C'), mean, std, to_rgb)


def imnormalize_chw(img: np.ndarray, mean: Channels, std: Channels, to_rgb: bool = True,
                    shape: tuple[int, int] | None = None,
                    pad_val: Channels | float = 0) -> np.ndarray:
    """`imnormalize` of a uint8 image [H, W, 3] to [3, H, W], the memory layout of tensors.

    With `shape` (height, width) it is padded at the right and bottom with `pad_val`.
    """
    height, width = img.shape[:2]
    table = normalize_table(mean, std)
    normalized = np.empty((3, *(shape or (height, width))), np.float32)
    for channel, values in enumerate(split_channels(img, to_rgb)):
        cv2.LUT(values, table[:, :, channel], dst=normalized[channel, :height, :width])
    if normalized.shape[1:] != (height, width):
        normalized[:, height:] = normalized[:, :height, width:] = np.reshape(pad_val, (-1, 1, 1))
    return normalized


def split_channels(img: np.ndarray, reverse: bool = False,
                   shape: tuple[int, int] | None = None) -> np.ndarray:
    """The channels of a uint8 image [H, W, 3] as [3, H, W], optionally in reverse order.

    With `shape` (height, width) they are padded at the right and bottom with zeros.
    """
    height, width = img.shape[:2]
    channels = np.empty((3, *(shape or (height, width))), np.uint8)
    inner = channels[:, :height, :width]
    cv2.split(img, list(inner[::-1] if reverse else inner))
    channels[:, height:] = channels[:, :height, width:] = 0
    return channels


def normalize_table(mean: Channels, std: Channels) -> np.ndarray:
    """Table [1, 256, C] float32 of the normalised values of 0 to 255."""
    levels = np.arange(256, dtype=np.float32)[None, :, None].repeat(np.size(mean), axis=2)
    return imnormalize_(levels, mean, std, to_rgb=False)


def imnormalize_(img: np.ndarray, mean: Channels, std: Channels, to_rgb: bool = True) -> np.ndarray:
    """`imnormalize` in place; img: [H, W, C] of floats."""
    assert img.dtype.kind == 'f'
    if to_rgb:
        cv2.cvtColor(img, cv2.COLOR_BGR2RGB, img)
    cv2.subtract(img, _row(mean), img)
    cv2.multiply(img, 1 / _row(std), img)
    return img


def imdenormalize(img: np.ndarray, mean: Channels, std: Channels,
                  to_bgr: bool = True) -> np.ndarray:
    """Undo `imnormalize`: img * std + mean in float32; `to_bgr` turns RGB into BGR after it."""
    img = cv2.multiply(img.astype(np.float32), _row(std))
    cv2.add(img, _row(mean), img)
    three = img.ndim == 3 and img.shape[2] == 3
    return cv2.cvtColor(img, cv2.COLOR_RGB2BGR) if to_bgr and three else img


def lut_transform(img: np.ndarray, lut_table: np.ndarray) -> np.ndarray:
    """Replace each value by its entry in a table [256]; floats are rounded to uint8.

    Raises ConfigError for values outside of 0 to 255.
    """
    assert lut_table.shape == (256,)
    return cv2.LUT(as_bytes(img, 'a table of 256 entries'), lut_table)


def clahe(img: np.ndarray, clip_limit: float = 40.0,
          tile_grid_size: tuple[int, int] = (8, 8)) -> np.ndarray:
    """Contrast limited adaptive histogram equalisation of one channel [H, W], uint8 or uint16.

    Other types are rounded to uint8. Raises ConfigError for values outside of 0 to 255.
    """
    assert img.ndim == 2
    channel = img if img.dtype == np.uint16 else as_bytes(img, 'CLAHE')
    return cv2.createCLAHE(clip_limit, tuple(tile_grid_size)).apply(channel)


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


def solarize(img: np.ndarray, thr: int = 128) -> np.ndarray:
    """Invert the values (0 to 255) that are at least `thr`."""
    _check_depth(img, 'solarize')
    return np.where(img < thr, img, 255 - img)


def posterize(img: np.ndarray, bits: int) -> np.ndarray:
    """Keep the highest `bits` of the eight bits of each value."""
    _check_depth(img, 'posterize')
    shift = 8 - bits
    return img >> shift << shift


def adjust_color(img: np.ndarray, alpha: float = 1, beta: float | None = None,
                 gamma: float = 0) -> np.ndarray:
    """alpha * img + beta * gray + gamma; `beta` is 1 - alpha by default, which blends with grey."""
    _check_depth(img, 'adjust_color')
    gray = gray2bgr(bgr2gray(img))
    beta = 1 - alpha if beta is None else beta
    blended = cv2.addWeighted(img, alpha, gray, beta, gamma)
    return blended if img.dtype == np.uint8 else np.clip(blended, 0, 255)


def adjust_brightness(img: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """Blend with black: 0 gives black, 1 the image, more than 1 a brighter one."""
    return _blend(img, np.zeros_like(img), factor)


def adjust_contrast(img: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """Blend with the image's mean grey: 0 gives plain grey, 1 the image, more than 1 contrast."""
    mean = round(float(bgr2gray(img).mean()))
    return _blend(img, np.full_like(img, mean), factor)


def _blend(img: np.ndarray, other: np.ndarray, factor: float) -> np.ndarray:
    _check_depth(img, 'a change of brightness or contrast')
    mixed = cv2.addWeighted(img.astype(np.float32), factor, other.astype(np.float32), 1 - factor, 0)
    return np.clip(mixed, 0, 255).astype(img.dtype)


def _check_depth(img: np.ndarray, what: str) -> None:
    """Raise ConfigError for integers outside of 0 to 255, which would be clipped."""
    if img.dtype.kind in 'iu' and img.dtype != np.uint8:
        as_bytes(img, what)


def _row(values: Channels) -> np.ndarray:
    """[1, C] float64, which OpenCV takes as one value for each channel."""
    return np.asarray(values, np.float64).reshape(1, -1)
