"""Colour space conversions; images are uint8, or float32 with values in 0 to 1."""
from collections.abc import Callable

import cv2
import numpy as np

from .ycbcr import (  # noqa: F401  as in mmcv, whose tests and users import the private ones too
    _convert_input_type_range,
    _convert_output_type_range,
    bgr2ycbcr,
    rgb2ycbcr,
    ycbcr2bgr,
    ycbcr2rgb,
)


def imconvert(img: np.ndarray, src: str, dst: str) -> np.ndarray:
    """Convert between any two colour spaces that OpenCV names, such as 'bgr' and 'lab'."""
    return cv2.cvtColor(img, getattr(cv2, f'COLOR_{src.upper()}2{dst.upper()}'))


def bgr2gray(img: np.ndarray, keepdim: bool = False) -> np.ndarray:
    """Luma [H, W] of a BGR image; [H, W, 1] with `keepdim`."""
    gray = cv2.cvtColor(img, cv2.COLOR_BGR2GRAY)
    return gray[..., None] if keepdim else gray


def rgb2gray(img: np.ndarray, keepdim: bool = False) -> np.ndarray:
    """Luma [H, W] of an RGB image; [H, W, 1] with `keepdim`."""
    gray = cv2.cvtColor(img, cv2.COLOR_RGB2GRAY)
    return gray[..., None] if keepdim else gray


def decoded_luma(img: np.ndarray) -> np.ndarray:
    """Luma [H, W] of a uint8 BGR image, rounded as OpenCV's decoders do, unlike `bgr2gray`."""
    weights = np.array([1868, 9617, 4899], np.uint32)  # in 1 / 2**14
    return ((img @ weights + 2**13) >> 14).astype(np.uint8)


def gray2bgr(img: np.ndarray) -> np.ndarray:
    """[H, W, 3] with three equal channels from [H, W] or [H, W, 1]."""
    return cv2.cvtColor(img, cv2.COLOR_GRAY2BGR)


gray2rgb = gray2bgr


def _converter(src: str, dst: str) -> Callable[[np.ndarray], np.ndarray]:
    code = getattr(cv2, f'COLOR_{src}2{dst}')

    def convert(img: np.ndarray) -> np.ndarray:
        return cv2.cvtColor(img, code)

    convert.__name__ = f'{src}2{dst}'.lower()
    convert.__doc__ = f'Convert an image [H, W, 3] from {src} to {dst}.'
    return convert


bgr2rgb = _converter('BGR', 'RGB')
rgb2bgr = _converter('RGB', 'BGR')
bgr2hsv = _converter('BGR', 'HSV')
hsv2bgr = _converter('HSV', 'BGR')
bgr2hls = _converter('BGR', 'HLS')
hls2bgr = _converter('HLS', 'BGR')
