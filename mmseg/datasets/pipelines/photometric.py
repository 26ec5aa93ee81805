"""Steps without randomness that change the colours of the image."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmcv_replace.image import clahe, lut_transform
from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results, Transform
from .checks import check_numbers, check_size

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue, by ITU-R BT.601


@PIPELINES.register_module()
class Rerange(Transform):
    """Stretch the image's values linearly to the range from `min_value` to `max_value`."""

    def __init__(self, min_value: float = 0, max_value: float = 255) -> None:
        if not min_value < max_value:
            raise ConfigError(f'Rerange: min_value={min_value} must be below '
                              f'max_value={max_value}')
        check_numbers('Rerange', 'min_value', min_value)
        check_numbers('Rerange', 'max_value', max_value)
        self.min_value = min_value
        self.max_value = max_value

    def apply_image(self, img: np.ndarray, params: None) -> np.ndarray:
        # Differences of integers may not fit into their type.
        img = img if img.dtype.kind == 'f' else img.astype(np.float64)
        low, high = img.min(), img.max()
        # An image of one value has nothing to stretch.
        share = (img - low) / (high - low) if high > low else np.zeros(img.shape)
        return share * (self.max_value - self.min_value) + self.min_value


@PIPELINES.register_module()
class CLAHE(Transform):
    """Contrast limited adaptive histogram equalisation of each channel.

    The image holds integers of 8 or 16 bits, or floats from 0 to 255, which are rounded to 8 bits.
    """

    def __init__(self, clip_limit: float = 40.0, tile_grid_size: tuple[int, int] = (8, 8)) -> None:
        check_numbers('CLAHE', 'clip_limit', clip_limit, least=0)
        check_size('CLAHE', 'tile_grid_size', tile_grid_size)
        self.clip_limit = clip_limit
        self.tile_grid_size = tuple(tile_grid_size)

    def apply_image(self, img: np.ndarray, params: None) -> np.ndarray:
        channels = [clahe(np.ascontiguousarray(channel), self.clip_limit, self.tile_grid_size)
                    for channel in np.moveaxis(np.atleast_3d(img), 2, 0)]
        return np.stack(channels, axis=2).reshape(img.shape)


@PIPELINES.register_module()
class RGB2Gray(Transform):
    """Replace the channels by their weighted sum in float64, repeated `out_channels` times.

    By default the number of channels stays, and the result is the luma, of BGR, or of RGB after a
    `Normalize` with `to_rgb`. Other `weights` are in the order of the channels.
    """

    def __init__(self, out_channels: int | None = None,
                 weights: Sequence[float] | None = LUMA) -> None:
        if out_channels is not None and out_channels < 1:
            raise ConfigError(f'RGB2Gray: out_channels={out_channels}: give 1 or more')
        self.out_channels = out_channels
        self.weights = LUMA if weights is None else tuple(weights)

    def draw(self, results: Results) -> tuple[float, ...]:
        """The weights; draws nothing."""
        bgr = not results.get('img_norm_cfg', {}).get('to_rgb')
        return self.weights[::-1] if self.weights == LUMA and bgr else self.weights

    def describe(self, params: tuple[float, ...]) -> dict[str, Any]:
        return {}

    def apply_image(self, img: np.ndarray, params: tuple[float, ...]) -> np.ndarray:
        if img.ndim != 3 or img.shape[2] != len(params):
            raise ConfigError(f'RGB2Gray: {len(params)} weights do not fit an image of shape '
                              f'{img.shape}')
        gray = (img * np.array(params)).sum(axis=2, keepdims=True)
        return np.repeat(gray, self.out_channels or len(params), axis=2)

    def record(self, results: Results, params: tuple[float, ...]) -> None:
        results['img_shape'] = results['img'].shape


@PIPELINES.register_module()
class AdjustGamma(Transform):
    """Gamma correction: value -> 255 * (value / 255) ** (1 / gamma).

    The image holds integers of 8 bits, or floats from 0 to 255, which are rounded to 8 bits.
    """

    def __init__(self, gamma: float = 1.0) -> None:
        if gamma <= 0:
            raise ConfigError(f'AdjustGamma: gamma={gamma} must be positive')
        check_numbers('AdjustGamma', 'gamma', gamma, least=0.01, most=100)
        self.gamma = gamma
        self.table = ((np.arange(256) / 255) ** (1 / gamma) * 255).astype(np.uint8)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(gamma={self.gamma})'

    def apply_image(self, img: np.ndarray, params: None) -> np.ndarray:
        if img.dtype == np.uint16:  # whatever its values are
            raise ConfigError('AdjustGamma takes 8 bits, not images of 16: put Rerange before it, '
                              'or leave it out')
        return lut_transform(img, self.table)
