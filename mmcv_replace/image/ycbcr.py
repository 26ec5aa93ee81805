"""Convert to YCbCr and back, by BT.601 for 8 bits; images are uint8, or float32 from 0 to 1.

Unlike in OpenCV's YCrCb and in JPEG, Y is from 16 to 235, Cb and Cr from 16 to 240.
"""
import numpy as np

from ..utils.errors import ConfigTypeError

# Rows: Y, Cb and Cr from red, green and blue in 0 to 1.
_FROM_RGB = np.array([[65.481, 128.553, 24.966],
                      [-37.797, -74.203, 112.0],
                      [112.0, -93.786, -18.214]])
_SHIFT = np.array([16, 128, 128])
# Rows: red, green and blue from Y, Cb and Cr, each in 0 to 255, but for the factor 255.
_TO_RGB = np.array([[0.00456621, 0, 0.00625893],
                    [0.00456621, -0.00153632, -0.00318811],
                    [0.00456621, 0.00791071, 0]])
_BACK_SHIFT = np.array([-222.921, 135.576, -276.836])


def rgb2ycbcr(img: np.ndarray, y_only: bool = False) -> np.ndarray:
    """YCbCr [H, W, 3] of an RGB image; with `y_only` Y alone, [H, W]."""
    return _to_ycbcr(img, _FROM_RGB, y_only)


def bgr2ycbcr(img: np.ndarray, y_only: bool = False) -> np.ndarray:
    """YCbCr [H, W, 3] of a BGR image; with `y_only` Y alone, [H, W]."""
    return _to_ycbcr(img, _FROM_RGB[:, ::-1], y_only)


def ycbcr2rgb(img: np.ndarray) -> np.ndarray:
    """RGB of a YCbCr image [H, W, 3]."""
    return _from_ycbcr(img, slice(None))


def ycbcr2bgr(img: np.ndarray) -> np.ndarray:
    """BGR of a YCbCr image [H, W, 3]."""
    return _from_ycbcr(img, slice(None, None, -1))


def _to_ycbcr(img: np.ndarray, weights: np.ndarray, y_only: bool) -> np.ndarray:
    unit = _to_unit(img)
    if y_only:
        return _as_before(unit @ weights[0] + _SHIFT[0], img)
    return _as_before(unit @ weights.T + _SHIFT, img)


def _from_ycbcr(img: np.ndarray, order: slice) -> np.ndarray:
    return _as_before((_to_unit(img) * 255) @ _TO_RGB[order].T * 255 + _BACK_SHIFT[order], img)


def _to_unit(img: np.ndarray) -> np.ndarray:
    """As float32 from 0 to 1."""
    if img.dtype == np.float32:
        return img
    if img.dtype == np.uint8:
        return img.astype(np.float32) / 255
    raise ConfigTypeError(f'YCbCr: an image is uint8, or float32 from 0 to 1, not {img.dtype}')


def _as_before(values: np.ndarray, img: np.ndarray) -> np.ndarray:
    """Values from 0 to 255 in the type and range of `img`."""
    if img.dtype == np.uint8:
        return values.round().astype(np.uint8)
    return (values / 255).astype(np.float32)
