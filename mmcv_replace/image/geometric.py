"""Resize, flip, rotate, crop and pad images [H, W] or [H, W, C]; sizes are (width, height)."""
from collections.abc import Collection, Sequence
from numbers import Real

import cv2
import numpy as np

from ..utils.errors import ConfigError

INTERPOLATIONS = {
    'nearest': cv2.INTER_NEAREST,
    'bilinear': cv2.INTER_LINEAR,
    'bicubic': cv2.INTER_CUBIC,
    'area': cv2.INTER_AREA,
    'lanczos': cv2.INTER_LANCZOS4,
}
# Mirrored axes, and OpenCV's code of the flip.
FLIPS = {'horizontal': (1, 1), 'vertical': (0, 0), 'diagonal': ((0, 1), -1)}
PADDING_MODES = ('constant', 'edge', 'reflect', 'symmetric')

Number = int | float
Scale = Number | tuple[int, int]


def imresize(img: np.ndarray, size: tuple[int, int], return_scale: bool = False,
             interpolation: str = 'bilinear', out: np.ndarray | None = None,
             ) -> np.ndarray | tuple[np.ndarray, float, float]:
    """Resize to (width, height); with `return_scale` also the factors of width and height."""
    check_choice('interpolation', interpolation, INTERPOLATIONS)
    height, width = img.shape[:2]
    resized = cv2.resize(img, tuple(size), dst=out, interpolation=INTERPOLATIONS[interpolation])
    if not return_scale:
        return resized
    return resized, size[0] / width, size[1] / height


def imresize_like(img: np.ndarray, dst_img: np.ndarray, return_scale: bool = False,
                  interpolation: str = 'bilinear',
                  ) -> np.ndarray | tuple[np.ndarray, float, float]:
    """Resize to the size of another image; see `imresize`."""
    return imresize(img, dst_img.shape[1::-1], return_scale, interpolation)


def rescale_size(old_size: tuple[int, int], scale: Scale, return_scale: bool = False,
                 ) -> tuple[int, int] | tuple[tuple[int, int], float]:
    """New (width, height) with the ratio of `old_size` (width, height).

    `scale` is a factor, or the edges of a box, in any order, that the image is to fit into.
    """
    factor = scale if isinstance(scale, Real) else min(
        max(scale) / max(old_size), min(scale) / min(old_size))
    if factor <= 0:
        raise ConfigError(f'cannot resize by {scale!r}: a scale is positive')
    new_size = tuple(max(int(edge * float(factor) + 0.5), 1) for edge in old_size)
    return (new_size, factor) if return_scale else new_size


def imrescale(img: np.ndarray, scale: Scale, return_scale: bool = False,
              interpolation: str = 'bilinear') -> np.ndarray | tuple[np.ndarray, float]:
    """Resize with the same ratio of width and height; see `rescale_size`."""
    new_size, factor = rescale_size(img.shape[1::-1], scale, return_scale=True)
    rescaled = imresize(img, new_size, interpolation=interpolation)
    return (rescaled, factor) if return_scale else rescaled


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


def imrotate(img: np.ndarray, angle: float, center: tuple[float, float] | None = None,
             scale: float = 1.0, border_value: Number | Sequence[Number] = 0,
             interpolation: str = 'bilinear', auto_bound: bool = False) -> np.ndarray:
    """Rotate clockwise by `angle` degrees around `center` (x, y), by default the middle.

    `auto_bound` enlarges the result so that nothing is cut off. Raises ConfigError for both.
    """
    if auto_bound and center is not None:
        raise ConfigError('imrotate cannot keep a center with auto_bound=True: give one of both')
    check_choice('interpolation', interpolation, INTERPOLATIONS)
    height, width = img.shape[:2]
    if center is None:
        center = ((width - 1) / 2, (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(center, -angle, scale)
    if auto_bound:
        cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
        new_width, new_height = height * sin + width * cos, height * cos + width * sin
        matrix[:, 2] += (new_width - width) / 2, (new_height - height) / 2
        width, height = round(new_width), round(new_height)
    if isinstance(border_value, Real):
        border_value = (border_value,) * 4  # OpenCV would fill the first channel only
    return cv2.warpAffine(img, matrix, (width, height), flags=INTERPOLATIONS[interpolation],
                          borderValue=border_value)


def imcrop(img: np.ndarray, bboxes: np.ndarray, scale: float = 1.0,
           pad_fill: Number | Sequence[Number] | None = None) -> np.ndarray | list[np.ndarray]:
    """Crop to boxes [k, 4] (or one [4]) of (x1, y1, x2, y2), both ends included.

    Boxes are enlarged by `scale` around their middle. Outside of the image they are cut off, or
    filled with `pad_fill`. Returns an array for a single box, otherwise a list.
    """
    corners = np.asarray(bboxes, np.float64).reshape(-1, 4)
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


def impad(img: np.ndarray, *, shape: tuple[int, int] | None = None,
          padding: int | tuple[int, ...] | None = None, pad_val: Number | Sequence[Number] = 0,
          padding_mode: str = 'constant') -> np.ndarray:
    """Pad at the right and bottom to `shape` (height, width), or by `padding`.

    `padding` is one number, (left and right, top and bottom) or (left, top, right, bottom).
    `pad_val` is a number, or one for each channel; `padding_mode` one of `PADDING_MODES`. Raises
    ConfigError for a smaller `shape`, OverflowError for a `pad_val` beyond an integer type.
    """
    if (shape is None) == (padding is None):
        raise ConfigError('impad takes either shape or padding: give exactly one of both')
    check_choice('padding_mode', padding_mode, PADDING_MODES)
    height, width = img.shape[:2]
    if shape is not None:
        left = top = 0
        bottom, right = shape[0] - height, shape[1] - width
        if bottom < 0 or right < 0:
            raise ConfigError(f'cannot pad an image of {height} x {width} (height x width) to the '
                              f'smaller {shape[0]} x {shape[1]}: resize or crop it first')
    else:
        left, top, right, bottom = _four_sides(padding)
    if padding_mode != 'constant':
        sides = ((top, bottom), (left, right), (0, 0))[:img.ndim]
        return np.pad(img, sides, mode=padding_mode)
    padded = np.empty((top + height + bottom, left + width + right, *img.shape[2:]), img.dtype)
    padded[...] = _fitting(pad_val, img.dtype)
    padded[top:top + height, left:left + width] = img
    return padded


def _fitting(value: Number | Sequence[Number], dtype: np.dtype) -> np.ndarray:
    """`value` as an array; OverflowError where an integer type would wrap it around."""
    values = np.asarray(value)
    if dtype.kind in 'iu' and values.dtype.kind in 'iuf':
        limits = np.iinfo(dtype)
        if np.any((values < limits.min) | (values > limits.max)):
            raise OverflowError(f'pad_val={value} is out of the range of {dtype}, {limits.min} to '
                                f'{limits.max}')
    return values


def impad_to_multiple(img: np.ndarray, divisor: int,
                      pad_val: Number | Sequence[Number] = 0) -> np.ndarray:
    """Pad at the right and bottom so that both edges are multiples of `divisor`."""
    height, width = (-(-edge // divisor) * divisor for edge in img.shape[:2])
    return impad(img, shape=(height, width), pad_val=pad_val)


def _four_sides(padding: int | tuple[int, ...]) -> tuple[int, ...]:
    if isinstance(padding, int):
        return (padding,) * 4
    if len(padding) == 2:
        return (*padding, *padding)
    if len(padding) == 4:
        return tuple(padding)
    raise ConfigError(f'cannot read padding={padding!r}: give one, two or four numbers')


def check_choice(what: str, value: str, known: Collection[str]) -> None:
    """Raise ConfigError for a value that is not among the known ones."""
    if value not in known:
        raise ConfigError(f'unknown {what} {value!r}: choose one of {", ".join(known)}')
