"""Change brightness, contrast, colour, hue, sharpness and lighting of images [H, W, 3]."""
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..utils.errors import ConfigError, ConfigTypeError
from ..utils.logging import warn_once
from .colorspace import bgr2gray, gray2bgr
from .levels import as_bytes, check_depth
from .resize import check_choice

if TYPE_CHECKING:
    from PIL.Image import Image

BACKENDS = ('cv2', 'pillow')
# Weights of a pixel and its neighbours, of Pillow's smoothing.
SMOOTHING = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13


def adjust_color(img: np.ndarray, alpha: float = 1, beta: float | None = None, gamma: float = 0,
                 backend: str | None = None) -> np.ndarray:
    """alpha * img + beta * gray + gamma; `beta` is 1 - alpha by default, which blends with grey.

    `backend` is 'cv2' (the default), or 'pillow' for uint8 images, which has `alpha` alone.
    """
    if _is_pillow(backend):
        if gamma:
            warn_once('adjust_color: the backend pillow ignores gamma')
        return _enhance(img, 'Color', alpha)
    check_depth(img, 'adjust_color')
    gray = gray2bgr(bgr2gray(img))
    beta = 1 - alpha if beta is None else beta
    blended = cv2.addWeighted(img, alpha, gray, beta, gamma)
    return blended if img.dtype == np.uint8 else np.clip(blended, 0, 255)


def adjust_brightness(img: np.ndarray, factor: float = 1.0,
                      backend: str | None = None) -> np.ndarray:
    """Blend with black: 0 gives black, 1 the image, more than 1 a brighter one.

    `backend` is 'cv2' (the default), or 'pillow' for uint8 images.
    """
    if _is_pillow(backend):
        return _enhance(img, 'Brightness', factor)
    return _blend(img, np.zeros_like(img), factor)


def adjust_contrast(img: np.ndarray, factor: float = 1.0,
                    backend: str | None = None) -> np.ndarray:
    """Blend with the image's mean grey: 0 gives plain grey, 1 the image, more than 1 contrast.

    `backend` is 'cv2' (the default), or 'pillow' for uint8 images.
    """
    if _is_pillow(backend):
        return _enhance(img, 'Contrast', factor)
    mean = round(float(bgr2gray(img).mean()))
    return _blend(img, np.full_like(img, mean), factor)


def adjust_sharpness(img: np.ndarray, factor: float = 1.0,
                     kernel: np.ndarray | None = None) -> np.ndarray:
    """Blend with a smoothed image: 0 gives that, 1 the image, more than 1 a sharper one.

    `kernel` [h, w] are the weights of the neighbours in it.
    """
    kernel = SMOOTHING if kernel is None else kernel
    if not isinstance(kernel, np.ndarray) or kernel.ndim != 2:
        raise ConfigTypeError('adjust_sharpness: a kernel is an array [h, w], not '
                              f'{np.shape(kernel)} of {type(kernel).__name__}')
    return _blend(img, cv2.filter2D(img, -1, kernel), factor)


def adjust_hue(img: np.ndarray, hue_factor: float, backend: str | None = None) -> np.ndarray:
    """Turn the hues of a uint8 image [H, W, 3] by `hue_factor` of the circle, from -0.5 to 0.5.

    `backend` is 'cv2' (the default) or 'pillow'.
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ConfigError(f'adjust_hue: hue_factor={hue_factor} is not from -0.5 to 0.5')
    if not isinstance(img, np.ndarray) or img.ndim not in (2, 3):
        raise ConfigTypeError(f'adjust_hue takes an array [H, W, 3], not {np.shape(img)}')
    turn = int(hue_factor * 255) % 256
    if _is_pillow(backend):
        hue, *others = _to_pillow(img).convert('HSV').split()
        hue = hue.point([(value + turn) % 256 for value in range(256)])
        return _from_pillow(_merge('HSV', hue, *others))
    hsv = cv2.cvtColor(as_bytes(img, 'adjust_hue'), cv2.COLOR_BGR2HSV_FULL)
    hsv[..., 0] += np.uint8(turn)  # which wraps around
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL).astype(img.dtype)


def adjust_lighting(img: np.ndarray, eigval: np.ndarray, eigvec: np.ndarray,
                    alphastd: float = 0.1, to_rgb: bool = True) -> np.ndarray:
    """Add noise along the principal components of colours, as AlexNet's training does.

    `eigval` [n] and `eigvec` [3, n] are those of the RGB colours; `alphastd` is the deviation of
    the noise, drawn from NumPy's global random numbers. With `to_rgb` a BGR image becomes RGB.
    Returns floats [H, W, 3].
    """
    if not isinstance(eigval, np.ndarray) or not isinstance(eigvec, np.ndarray) or (
            eigval.ndim != 1 or eigvec.shape != (3, len(eigval))):
        raise ConfigTypeError(f'adjust_lighting: eigval {np.shape(eigval)} and eigvec '
                              f'{np.shape(eigvec)} must be arrays [n] and [3, n]')
    alpha = np.random.normal(0, alphastd, (1, len(eigval)))
    light = img.astype(np.float32)
    light = cv2.cvtColor(light, cv2.COLOR_BGR2RGB) if to_rgb else light
    return light + (eigvec * alpha * eigval).sum(axis=1)


def _blend(img: np.ndarray, other: np.ndarray, factor: float) -> np.ndarray:
    check_depth(img, 'a change of brightness, contrast or sharpness')
    mixed = cv2.addWeighted(img.astype(np.float32), factor, other.astype(np.float32), 1 - factor, 0)
    return np.clip(mixed, 0, 255).astype(img.dtype)


def _is_pillow(backend: str | None) -> bool:
    check_choice('backend', backend or 'cv2', BACKENDS)
    return backend == 'pillow'


def _enhance(img: np.ndarray, kind: str, factor: float) -> np.ndarray:
    """By the class of this name in PIL.ImageEnhance."""
    from PIL import ImageEnhance
    return _from_pillow(getattr(ImageEnhance, kind)(_to_pillow(img)).enhance(factor))


def _to_pillow(img: np.ndarray) -> 'Image':
    from PIL import Image
    if img.dtype != np.uint8 or img.ndim != 3:
        raise ConfigTypeError(f'the backend pillow takes uint8 images [H, W, 3], not {img.dtype} '
                              f'{list(img.shape)}: choose cv2')
    return Image.fromarray(np.ascontiguousarray(img[..., ::-1]))


def _from_pillow(image: 'Image') -> np.ndarray:
    return np.array(image.convert('RGB'))[..., ::-1]


def _merge(mode: str, *channels: 'Image') -> 'Image':
    from PIL import Image
    return Image.merge(mode, channels)
