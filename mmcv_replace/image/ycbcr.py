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
    unit = _convert_input_type_range(img)
    values = unit @ weights[0] + _SHIFT[0] if y_only else unit @ weights.T + _SHIFT
    return _convert_output_type_range(values, img.dtype)


def _from_ycbcr(img: np.ndarray, order: slice) -> np.ndarray:
    unit = _convert_input_type_range(img)
    values = (unit * 255) @ _TO_RGB[order].T * 255 + _BACK_SHIFT[order]
    return _convert_output_type_range(values, img.dtype)


def _convert_input_type_range(img: np.ndarray) -> np.ndarray:
    """As float32 from 0 to 1; ConfigTypeError for what is neither uint8 nor float32."""
    _check_type(img.dtype)
    return img if img.dtype == np.float32 else img.astype(np.float32) / 255


def _convert_output_type_range(img: np.ndarray, dst_type: np.dtype | type) -> np.ndarray:
    """Values from 0 to 255 as uint8, or as float32 from 0 to 1; ConfigTypeError for other types."""
    _check_type(dst_type)
    return (img.round() if dst_type == np.uint8 else img / 255).astype(dst_type)


def _check_type(dtype: np.dtype | type) -> None:
    if dtype not in (np.uint8, np.float32):
        raise ConfigTypeError('YCbCr: an image is uint8, or float32 from 0 to 1, not '
                              f'{np.dtype(dtype)}')
