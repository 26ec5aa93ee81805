"""Cut boxes out of images [H, W] or [H, W, C], and fill boxes in them."""
from collections.abc import Sequence
from numbers import Real

import numpy as np

from ..utils.errors import ConfigError, ConfigTypeError
from .resize import Number


def imcrop(img: np.ndarray, bboxes: np.ndarray, scale: float = 1.0,
           pad_fill: Number | Sequence[Number] | None = None) -> np.ndarray | list[np.ndarray]:
    """Crop to boxes [k, 4] (or one [4]) of (x1, y1, x2, y2), both ends included.

    Boxes are enlarged by `scale` around their middle. Outside of the image they are cut off, or
    filled with `pad_fill`, a number or one for each channel. Returns an array for a single box,
    otherwise a list. Raises ConfigError for other boxes and another `pad_fill`.
    """
    channels = 1 if img.ndim == 2 else img.shape[2]
    if np.ndim(pad_fill) and len(pad_fill) != channels:
        raise ConfigError(f'imcrop: pad_fill={pad_fill!r} has {len(pad_fill)} values, and the '
                          f'image {channels} channels')
    corners = np.asarray(bboxes, np.float64)
    if corners.ndim not in (1, 2) or corners.size and corners.shape[-1] != 4:
        raise ConfigError(f'imcrop: boxes of shape {corners.shape}; they are [k, 4] or one [4]')
    corners = corners.reshape(-1, 4)
    grow = (corners[:, 2:] - corners[:, :2] + 1) * (scale - 1) / 2
    corners = np.concatenate([corners[:, :2] - grow, corners[:, 2:] + grow], axis=1)
    patches = [_crop_box(img, box, pad_fill) for box in corners.astype(np.int32)]
    return patches[0] if np.ndim(bboxes) == 1 else patches


def _crop_box(img: np.ndarray, box: np.ndarray,
              pad_fill: Number | Sequence[Number] | None) -> np.ndarray:
    height, width = img.shape[:2]
    x1, y1, x2, y2 = box
    left, right = np.clip((x1, x2), 0, width - 1)
    top, bottom = np.clip((y1, y2), 0, height - 1)
    inside = img[top:bottom + 1, left:right + 1]
    if pad_fill is None:
        return inside.copy()
    patch = np.empty((y2 - y1 + 1, x2 - x1 + 1, *img.shape[2:]), img.dtype)
    patch[...] = pad_fill
    patch[top - y1:bottom - y1 + 1, left - x1:right - x1 + 1] = inside
    return patch


def cutout(img: np.ndarray, shape: int | tuple[int, int],
           pad_val: Number | tuple[Number, ...] = 0) -> np.ndarray:
    """Fill a box of `shape` (height, width) around a random pixel with `pad_val`.

    `pad_val` is a number, or a tuple of one for each channel. The pixel is drawn from NumPy's
    global random numbers.
    """
    channels = 1 if img.ndim == 2 else img.shape[2]
    cut_height, cut_width = (shape, shape) if isinstance(shape, int) else _two(shape)
    if not isinstance(pad_val, Real | tuple):
        raise ConfigTypeError(f'cutout: pad_val={pad_val!r} is neither a number nor a tuple')
    if isinstance(pad_val, tuple) and len(pad_val) != channels:
        raise ConfigError(f'cutout: pad_val={pad_val!r} has {len(pad_val)} values, and the image '
                          f'{channels} channels')
    height, width = img.shape[:2]
    middle_y, middle_x = np.random.uniform(height), np.random.uniform(width)
    top, left = int(max(0, middle_y - cut_height / 2)), int(max(0, middle_x - cut_width / 2))
    result = img.copy()
    result[top:top + cut_height, left:left + cut_width] = pad_val
    return result


def _two(shape: tuple[int, int]) -> tuple[int, int]:
    if isinstance(shape, tuple) and len(shape) == 2 and all(isinstance(n, int) for n in shape):
        return shape
    raise ConfigTypeError(f'cutout: shape={shape!r}: give a whole number or a tuple of two')
