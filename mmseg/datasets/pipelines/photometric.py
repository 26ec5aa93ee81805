"""Change the values of the image's pixels in a fixed way."""
from collections.abc import Sequence

import cv2
import numpy as np

from mmcv_replace.image import clahe, imnormalize, lut_transform
from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results, Transform
from .checks import check_numbers, check_size


@PIPELINES.register_module()
class Normalize(Transform):
    """(img - mean) / std in float32; mean and std are in RGB order with `to_rgb`."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], to_rgb: bool = True) -> None:
        check_numbers('Normalize', 'mean', mean, 3 if to_rgb else len(mean))
        check_numbers('Normalize', 'std', std, len(mean))
        self.mean = np.array(mean, np.float32)
        self.std = np.array(std, np.float32)
        self.to_rgb = to_rgb
        if not (self.std > 0).all():
            raise ConfigError(f'Normalize: std={list(std)}: every value must be positive')

    def __call__(self, results: Results) -> Results:
        results['img'] = imnormalize(results['img'], self.mean, self.std, self.to_rgb)
        return self.note(results)

    def note(self, results: Results) -> Results:
        """Note in `results` how the image is normalised."""
        results['img_norm_cfg'] = dict(mean=self.mean, std=self.std, to_rgb=self.to_rgb)
        return results


@PIPELINES.register_module()
class Rerange(Transform):
    """Stretch the image's values linearly from `min_value` to `max_value`."""

    def __init__(self, min_value: float = 0, max_value: float = 255) -> None:
        if not min_value < max_value:
            raise ConfigError(f'Rerange: min_value={min_value} must be below '
                              f'max_value={max_value}')
        check_numbers('Rerange', 'min_value', min_value)
        check_numbers('Rerange', 'max_value', max_value)
        self.min_value = min_value
        self.max_value = max_value

    def __call__(self, results: Results) -> Results:
        img = results['img']
        low, high = img.min(), img.max()
        # An image of one value has nothing to stretch.
        share = (img - low) / (high - low) if high > low else np.zeros(img.shape)
        results['img'] = share * (self.max_value - self.min_value) + self.min_value
        return results


@PIPELINES.register_module()
class CLAHE(Transform):
    """Contrast limited adaptive histogram equalisation of each channel."""

    def __init__(
        self, clip_limit: float = 40.0, tile_grid_size: tuple[int, int] = (8, 8)
    ) -> None:
        check_numbers('CLAHE', 'clip_limit', clip_limit, least=0)
        check_size('CLAHE', 'tile_grid_size', tile_grid_size)
        self.clip_limit = clip_limit
        self.tile_grid_size = tuple(tile_grid_size)

    def __call__(self, results: Results) -> Results:
        channels = cv2.split(results['img'])
        results['img'] = cv2.merge(
            [clahe(channel, self.clip_limit, self.tile_grid_size) for channel in channels])
        return results


@PIPELINES.register_module()
class RGB2Gray(Transform):
    """Weighted sum of the channels in float, repeated `out_channels` times (by default as many)."""

    def __init__(
        self,
        out_channels: int | None = None,
        weights: Sequence[float] = (0.299, 0.587, 0.114),
    ) -> None:
        if out_channels is not None and out_channels < 1:
            raise ConfigError(f'RGB2Gray: out_channels={out_channels}: give 1 or more')
        self.out_channels = out_channels
        self.weights = tuple(weights)

    def __call__(self, results: Results) -> Results:
        img = results['img']
        if img.ndim != 3 or img.shape[2] != len(self.weights):
            raise ConfigError(f'RGB2Gray: {len(self.weights)} weights do not fit an image of shape '
                              f'{img.shape}')
        gray = (img * np.array(self.weights)).sum(axis=2, keepdims=True)
        img = np.repeat(gray, self.out_channels or len(self.weights), axis=2)
        results['img'] = img
        results['img_shape'] = img.shape
        results['ori_shape'] = (*results['ori_shape'][:2], img.shape[2])
        return results


@PIPELINES.register_module()
class AdjustGamma(Transform):
    """Gamma correction: value -> 255 * (value / 255) ** (1 / gamma)."""

    def __init__(self, gamma: float = 1.0) -> None:
        if gamma <= 0:
            raise ConfigError(f'AdjustGamma: gamma={gamma} must be positive')
        check_numbers('AdjustGamma', 'gamma', gamma, least=0.01, most=100)
        self.gamma = gamma
        self._table = ((np.arange(256) / 255) ** (1 / gamma) * 255).astype(np.uint8)

    def __call__(self, results: Results) -> Results:
        results['img'] = lut_transform(results['img'], self._table)
        return results
