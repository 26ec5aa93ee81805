"""Shapes that Pillow and OpenCV fill as the tools do that draw with them."""
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from .points import Size, check_near


def draw_mask(size: Size, shape: str, corners: Sequence, **options: Any) -> np.ndarray:
    """What a method of Pillow's ImageDraw, such as 'polygon', draws in an image [height, width].

    Returns bool [H, W].
    """
    from PIL import Image, ImageDraw
    image = Image.new('L', size[::-1])
    getattr(ImageDraw.Draw(image), shape)(corners, **options)
    return np.asarray(image) > 0


def opencv_polygon(points: np.ndarray, size: Size) -> np.ndarray:
    """A polygon [N, 2] of x, y, cut to whole pixels and filled with its outline: bool [H, W]."""
    check_near(points, size)
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [points.astype(np.int32)], 1)
    return mask.astype(bool)


def opencv_ellipse(centre: Sequence[float], radii: Sequence[float], degrees: float,
                   size: Size) -> np.ndarray:
    """A turned ellipse, its centre and radii rounded to whole pixels: bool [H, W]."""
    check_near(np.array([centre, radii], np.float64), size)
    mask = np.zeros(size, np.uint8)
    cv2.ellipse(mask, [round(value) for value in centre], [round(value) for value in radii],
                degrees, 0, 360, 1, thickness=-1)
    return mask.astype(bool)
