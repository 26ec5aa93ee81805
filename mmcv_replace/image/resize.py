"""Resize images [H, W] or [H, W, C]; sizes are (width, height)."""
import math
from collections.abc import Collection, Sequence
from numbers import Real

import cv2
import numpy as np

from ..utils.errors import ConfigError, ConfigKeyError, ConfigTypeError
from .groups import ARRAY, SCALAR, groups_of, in_groups

cv2_interp_codes = {
    'nearest': cv2.INTER_NEAREST,
    'bilinear': cv2.INTER_LINEAR,
    'bicubic': cv2.INTER_CUBIC,
    'area': cv2.INTER_AREA,
    'lanczos': cv2.INTER_LANCZOS4,
}
# Names in Pillow's table of resampling filters.
pillow_interp_codes = {name: name.upper() for name in (
    'nearest', 'bilinear', 'bicubic', 'box', 'lanczos', 'hamming')}

Number = int | float
Scale = Number | tuple[int, int]


def imresize(img: np.ndarray, size: tuple[int, int], return_scale: bool = False,
             interpolation: str = 'bilinear', out: np.ndarray | None = None,
             backend: str | None = None) -> np.ndarray | tuple[np.ndarray, float, float]:
    """Resize to (width, height); with `return_scale` also the factors of width and height.

    `backend` is 'cv2' (the default), or 'pillow' for uint8 images.
    """
    height, width = img.shape[:2]
    backend = backend or 'cv2'
    check_choice('resize backend', backend, ('cv2', 'pillow'))
    if backend == 'pillow':
        resized = _resize_pillow(img, size, interpolation)
    else:
        check_choice('interpolation', interpolation, cv2_interp_codes)
        resized = _resize_opencv(img, tuple(size), interpolation, out)
    if not return_scale:
        return resized
    return resized, size[0] / width, size[1] / height


def _resize_opencv(img: np.ndarray, size: tuple[int, int], interpolation: str,
                   out: np.ndarray | None) -> np.ndarray:
    code = cv2_interp_codes[interpolation]
    most = SCALAR if code == cv2.INTER_AREA else ARRAY
    if img.ndim == 2 or img.shape[2] <= most:
        return cv2.resize(img, size, dst=out, interpolation=code)
    resized = in_groups(lambda part, _: cv2.resize(part, size, interpolation=code), img,
                        groups_of(img.shape[2], most))
    if out is None:
        return resized
    out[...] = resized
    return out


def _resize_pillow(img: np.ndarray, size: tuple[int, int], interpolation: str) -> np.ndarray:
    from PIL import Image
    check_choice('interpolation of pillow', interpolation, pillow_interp_codes)
    if img.dtype != np.uint8:
        raise ConfigTypeError(f"imresize with backend='pillow' takes uint8 images, not {img.dtype}:"
                              ' leave the backend out')
    code = Image.Resampling[pillow_interp_codes[interpolation]]
    return np.array(Image.fromarray(img).resize(tuple(size), code))


def imresize_like(img: np.ndarray, dst_img: np.ndarray, return_scale: bool = False,
                  interpolation: str = 'bilinear', backend: str | None = None,
                  ) -> np.ndarray | tuple[np.ndarray, float, float]:
    """Resize to the size of another image; see `imresize`."""
    return imresize(img, dst_img.shape[1::-1], return_scale, interpolation, backend=backend)


def imresize_to_multiple(img: np.ndarray, divisor: int | tuple[int, int],
                         size: int | tuple[int, int] | None = None,
                         scale_factor: Number | tuple[Number, Number] | None = None,
                         keep_ratio: bool = False, return_scale: bool = False,
                         interpolation: str = 'bilinear', out: np.ndarray | None = None,
                         backend: str | None = None,
                         ) -> np.ndarray | tuple[np.ndarray, float, float]:
    """Resize to `size`, or by `scale_factor`, enlarged to a multiple of `divisor`.

    Each is a number or one for (width, height). With `keep_ratio` the image is to fit into `size`
    before it is enlarged. See `imresize`.
    """
    if (size is None) == (scale_factor is None):
        raise ConfigError('imresize_to_multiple takes either size or scale_factor: give exactly '
                          'one of both')
    old_size = img.shape[1::-1]
    if size is None:
        size = _scale_size(old_size, scale_factor)
    else:
        size = rescale_size(old_size, _pair(size)) if keep_ratio else _pair(size)
    size = tuple(math.ceil(edge / step) * step
                 for edge, step in zip(size, _pair(divisor), strict=True))
    return imresize(img, size, return_scale, interpolation, out, backend)


def rescale_size(old_size: tuple[int, int], scale: Scale, return_scale: bool = False,
                 ) -> tuple[int, int] | tuple[tuple[int, int], float]:
    """New (width, height) with the ratio of `old_size` (width, height).

    `scale` is a factor, or the edges of a box, in any order, that the image is to fit into.
    """
    if not isinstance(scale, Real | tuple):
        raise ConfigTypeError(f'a scale is a factor or a tuple (width, height), not {scale!r}')
    factor = scale if isinstance(scale, Real) else min(
        max(scale) / max(old_size), min(scale) / min(old_size))
    if factor <= 0:
        raise ConfigError(f'cannot resize by {scale!r}: a scale is positive')
    new_size = tuple(max(edge, 1) for edge in _scale_size(old_size, factor))
    return (new_size, factor) if return_scale else new_size


def imrescale(img: np.ndarray, scale: Scale, return_scale: bool = False,
              interpolation: str = 'bilinear', backend: str | None = None,
              ) -> np.ndarray | tuple[np.ndarray, float]:
    """Resize with the same ratio of width and height; see `rescale_size`."""
    new_size, factor = rescale_size(img.shape[1::-1], scale, return_scale=True)
    rescaled = imresize(img, new_size, interpolation=interpolation, backend=backend)
    return (rescaled, factor) if return_scale else rescaled


def _scale_size(size: tuple[int, int], scale: Number | tuple[Number, Number]) -> tuple[int, int]:
    """(width, height) multiplied by one factor or by two, and rounded."""
    return tuple(int(edge * float(factor) + 0.5)
                 for edge, factor in zip(size, _pair(scale), strict=True))


def _pair(value: Number | Sequence[Number]) -> tuple[Number, Number]:
    return (value, value) if isinstance(value, Real) else tuple(value)


def check_choice(what: str, value: str, known: Collection[str]) -> None:
    """Raise ConfigKeyError for a value that is not among the known ones."""
    if value not in known:
        raise ConfigKeyError(f'unknown {what} {value!r}: choose one of {", ".join(known)}')
