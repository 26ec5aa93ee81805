"""Mirror images [H, W] or [H, W, C]."""
import cv2
import numpy as np

from .resize import check_choice

# Mirrored axes, and OpenCV's code of the flip.
FLIPS = {'horizontal': (1, 1), 'vertical': (0, 0), 'diagonal': ((0, 1), -1)}


def imflip(img: np.ndarray, direction: str = 'horizontal') -> np.ndarray:
    """Mirror left-right ('horizontal'), up-down ('vertical') or both ('diagonal')."""
    check_choice('flip direction', direction, FLIPS)
    axes, code = FLIPS[direction]
    if img.dtype == np.uint8 and img.size and (img.ndim == 2 or img.shape[2] == 3):
        # Faster than a view, which the next function of OpenCV would have to copy.
        return cv2.flip(img, code)
    return np.flip(img, axes)


def imflip_(img: np.ndarray, direction: str = 'horizontal') -> np.ndarray:
    """`imflip` in place."""
    img[...] = imflip(img.copy(), direction)
    return img
