"""Normalise the channels of images [H, W, C], and undo it."""
from collections.abc import Sequence

import cv2
import numpy as np

from .groups import ARRAY

Channels = Sequence[float] | np.ndarray


def imnormalize(img: np.ndarray, mean: Channels, std: Channels, to_rgb: bool = True) -> np.ndarray:
    """(img - mean) / std in float32; `to_rgb` turns BGR into RGB before it."""
    # OpenCV's tables would drop the axis of a single channel.
    if img.dtype == np.uint8 and img.ndim == 3 and 1 < img.shape[2] == np.size(mean) <= ARRAY:
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
    # One value is that of all channels.
    table = normalize_table(*(np.broadcast_to(values, 3) for values in (mean, std)))
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
    if img.ndim == 3 and img.shape[2] > ARRAY:
        img -= np.asarray(mean, np.float32)
        img *= 1 / np.asarray(std, np.float64)
        return img
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


def _row(values: Channels) -> np.ndarray:
    """[1, C] float64, which OpenCV takes as one value for each channel."""
    return np.asarray(values, np.float64).reshape(1, -1)
