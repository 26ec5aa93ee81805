"""Random changes of brightness, contrast, saturation and hue."""
import cv2
import numpy as np

from mmcv_replace.image import bgr2hsv, hsv2bgr
from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results, Transform
from .checks import check_numbers

HUES = 180  # OpenCV counts the hue of uint8 images in steps of two degrees
LEVELS = np.arange(256, dtype=np.uint8)


@PIPELINES.register_module()
class PhotoMetricDistortion(Transform):
    """Change a uint8 BGR image's colours, each way with probability one half.

    In this order: brightness, contrast (or last, after a draw), saturation, hue. Values are cut to
    0 to 255 and truncated after each.
    """

    def __init__(
        self,
        brightness_delta: int = 32,
        contrast_range: tuple[float, float] = (0.5, 1.5),
        saturation_range: tuple[float, float] = (0.5, 1.5),
        hue_delta: int = 18,
    ) -> None:
        name = type(self).__name__
        check_numbers(name, 'brightness_delta', brightness_delta, least=0, most=255)
        check_numbers(name, 'contrast_range', contrast_range, 2, least=0, most=255)
        check_numbers(name, 'saturation_range', saturation_range, 2, least=0, most=255)
        check_numbers(name, 'hue_delta', hue_delta, least=1, most=HUES)
        self.brightness_delta = brightness_delta
        self.contrast_range = contrast_range
        self.saturation_range = saturation_range
        self.hue_delta = hue_delta

    def __call__(self, results: Results) -> Results:
        img = results['img']
        if img.dtype != np.uint8 or img.ndim != 3 or img.shape[2] != 3:
            raise ConfigError(
                f'PhotoMetricDistortion needs a uint8 image [H, W, 3], not {img.dtype} '
                f'{img.shape}: put it before Normalize, and load without to_float32')
        img = self.brightness(img)
        contrast_last = np.random.randint(2) == 0
        if not contrast_last:
            img = self.contrast(img)
        img = self.saturation(img)
        img = self.hue(img)
        if contrast_last:
            img = self.contrast(img)
        results['img'] = img
        return results

    def brightness(self, img: np.ndarray) -> np.ndarray:
        """Add a number."""
        if not np.random.randint(2):
            return img
        return cv2.LUT(img, _linear(1, np.random.uniform(-self.brightness_delta,
                                                         self.brightness_delta)))

    def contrast(self, img: np.ndarray) -> np.ndarray:
        """Multiply by a factor."""
        if not np.random.randint(2):
            return img
        return cv2.LUT(img, _linear(np.random.uniform(*self.contrast_range), 0))

    def saturation(self, img: np.ndarray) -> np.ndarray:
        """Multiply the saturation by a factor."""
        if not np.random.randint(2):
            return img
        return _map_hsv(img, 1, _linear(np.random.uniform(*self.saturation_range), 0))

    def hue(self, img: np.ndarray) -> np.ndarray:
        """Turn the hue."""
        if not np.random.randint(2):
            return img
        turn = np.random.randint(-self.hue_delta, self.hue_delta)
        return _map_hsv(img, 0, ((np.arange(256) + turn) % HUES).astype(np.uint8))


def _linear(factor: float, offset: float) -> np.ndarray:
    """Table [256] uint8 of factor * value + offset."""
    values = LEVELS.astype(np.float32) * factor + offset
    return np.clip(values, 0, 255).astype(np.uint8)


def _map_hsv(img: np.ndarray, channel: int, table: np.ndarray) -> np.ndarray:
    """Look one channel of hue, saturation and value up in a table [256]."""
    hsv = bgr2hsv(img)
    values = cv2.LUT(cv2.extractChannel(hsv, channel), table)
    return hsv2bgr(cv2.insertChannel(values, hsv, channel))
