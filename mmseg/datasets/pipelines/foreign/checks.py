"""Checks of what goes to transforms of another library, and of what comes back.

Each raises ConfigError; `owner` is the name of the step.
"""
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmcv_replace.utils.errors import ConfigError

# Types of images whose pixels both libraries can move.
MOVABLE = ('uint8', 'uint16', 'int16', 'float32', 'float64')


def check_image(owner: str, img: np.ndarray, changing: Sequence[str]) -> None:
    """An image that transforms can move and, where some are `changing` its values, change."""
    if img.dtype.name not in MOVABLE:
        raise ConfigError(f'{owner}: an image of {img.dtype}, but it takes {", ".join(MOVABLE)}')
    if not changing or img.dtype == np.uint8:
        return
    # Both libraries clip floats to the range from 0 to 1, and take the limits of another type of
    # integers for those of its images.
    if img.dtype != np.float32 or not (img.min() >= 0 and img.max() <= 1):
        raise ConfigError(
            f'{owner}: {changing[0]} changes values, and takes images of uint8, or of float32 from '
            f'0 to 1, but this one is {img.dtype} from {img.min():g} to {img.max():g}: load '
            'without to_float32, and put this step before Normalize; transforms that only move '
            'pixels take any values')


def check_sizes(owner: str, img: np.ndarray, labels: Mapping[str, np.ndarray]) -> None:
    """Label maps [H, W] of the size of the image."""
    size = img.shape[:2]
    for key, label in labels.items():
        if label.shape != size:
            raise ConfigError(
                f'{owner}: {key} has {list(label.shape)} pixels, the image {list(size)}: both must '
                'be of one size (put SegRescale behind this step)')


def check_result(owner: str, img: np.ndarray, new: Any, kind: np.dtype,
                 moved: Sequence[Any]) -> np.ndarray:
    """What became of an image and masks of a `kind`; returns the new image, [H, W] as it was."""
    if any(not isinstance(array, np.ndarray) or array.dtype != dtype
           for array, dtype in [(new, img.dtype), *((mask, kind) for mask in moved)]):
        raise ConfigError(
            f'{owner}: its transforms have turned an image of {described(img)} into '
            f'{described(new)}, and label maps of {kind} into {described(moved[0])}: leave out '
            'what changes types or makes tensors; Normalize and DefaultFormatBundle do this later')
    if any(array.shape[:2] != new.shape[:2] for array in moved):
        raise ConfigError(
            f'{owner}: its transforms have made an image of {list(new.shape[:2])} and a label map '
            f'of {list(moved[0].shape[:2])} pixels: leave out what changes only one of both')
    return new[..., 0] if img.ndim == 2 and new.ndim == 3 and new.shape[2] == 1 else new


def check_unmoved(owner: str, before: np.ndarray, after: np.ndarray) -> None:
    """A map that differs in each pixel, which has gone the way of an image without labels."""
    if not np.array_equal(before, after):
        raise ConfigError(
            f'{owner}: pixels of an image without label maps, as in a test pipeline, were moved, '
            'and what is predicted of them would not be moved back: leave out the transforms that '
            'do so; what Resize, RandomFlip and Pad do is undone')


def described(value: Any) -> str:
    """Type and shape of an array, or of what should be one."""
    if isinstance(value, np.ndarray):
        return f'{value.dtype} {list(value.shape)}'
    return f'{type(value).__name__} {list(getattr(value, "shape", ()))}'
