"""Change the size of the image and its label maps."""
from collections.abc import Sequence

import numpy as np

from mmcv_replace.image import imrescale, imresize
from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results, Transform

Size = tuple[int, int]


def as_scales(img_scale: Sequence[int] | Sequence[Sequence[int]]) -> list[Size]:
    """One (width, height) or several as a list of tuples; lists stand for tuples, as in JSON."""
    several = isinstance(img_scale[0], list | tuple)
    scales = list(img_scale) if several else [img_scale]
    for scale in scales:
        if len(scale) != 2 or not all(isinstance(edge, int) and edge > 0 for edge in scale):
            raise ConfigError(f'cannot read img_scale={img_scale!r}: give (width, height) in '
                              'pixels, or a list of them')
    return [tuple(scale) for scale in scales]


@PIPELINES.register_module()
class Resize(Transform):
    """Resize the image bilinearly and its label maps to the nearest pixel.

    The size is, in this order: `results['scale']` where a step before has set it;
    `img_scale` (or the image's own size without it) times a factor drawn from `ratio_range`;
    the one `img_scale`; one of several ('value'), or edges drawn between two of them ('range').
    With `keep_ratio` the image is as large as fits into that size.
    """

    def __init__(
        self,
        img_scale: Sequence[int] | Sequence[Sequence[int]] | None = None,
        multiscale_mode: str = 'range',
        ratio_range: tuple[float, float] | None = None,
        keep_ratio: bool = True,
    ) -> None:
        self.img_scale = None if img_scale is None else as_scales(img_scale)
        self.multiscale_mode = multiscale_mode
        self.ratio_range = ratio_range
        self.keep_ratio = keep_ratio
        number = len(self.img_scale or ())
        if multiscale_mode not in ('range', 'value'):
            raise ConfigError(f"Resize: multiscale_mode={multiscale_mode!r}: choose 'range' or "
                              "'value'")
        if ratio_range is not None and number > 1:
            raise ConfigError(f'Resize: ratio_range goes with one img_scale, not {number}')
        if ratio_range is None and multiscale_mode == 'range' and number > 2:
            raise ConfigError(f"Resize: multiscale_mode='range' goes between two sizes, not "
                              f"{number}; 'value' chooses one of them")

    def __call__(self, results: Results) -> Results:
        if 'scale' not in results:
            results['scale'], results['scale_idx'] = self._draw_scale(results['img'].shape)
        self._resize_image(results)
        for key in results.get('seg_fields', ()):
            results[key] = self._resize(results[key], results['scale'], 'nearest')
        return results

    def _draw_scale(self, img_shape: Sequence[int]) -> tuple[Size, int | None]:
        """The (width, height) to resize to, and its place in `img_scale`."""
        scales = self.img_scale
        if self.ratio_range is not None:
            low, high = min(self.ratio_range), max(self.ratio_range)
            factor = np.random.random_sample() * (high - low) + low
            width, height = scales[0] if scales else (img_shape[1], img_shape[0])
            return (int(width * factor), int(height * factor)), None
        if scales is None:
            raise ConfigError("Resize: no size given; set img_scale or ratio_range, or put it "
                              'into MultiScaleFlipAug')
        if len(scales) == 1:
            return scales[0], 0
        if self.multiscale_mode == 'value':
            index = np.random.randint(len(scales))
            return scales[index], index
        longs, shorts = [max(scale) for scale in scales], [min(scale) for scale in scales]
        return (np.random.randint(min(longs), max(longs) + 1),
                np.random.randint(min(shorts), max(shorts) + 1)), None

    def _resize_image(self, results: Results) -> None:
        height, width = results['img'].shape[:2]
        img = self._resize(results['img'], results['scale'], 'bilinear')
        factors = (img.shape[1] / width, img.shape[0] / height)
        results.update(
            img=img,
            img_shape=img.shape,
            pad_shape=img.shape,  # until Pad says otherwise
            scale_factor=np.array(factors * 2, np.float32),
            keep_ratio=self.keep_ratio)

    def _resize(self, img: np.ndarray, scale: Size, interpolation: str) -> np.ndarray:
        resize = imrescale if self.keep_ratio else imresize
        return resize(img, scale, interpolation=interpolation)


@PIPELINES.register_module()
class SegRescale(Transform):
    """Resize the label maps only, by a factor."""

    def __init__(self, scale_factor: float = 1) -> None:
        self.scale_factor = scale_factor

    def __call__(self, results: Results) -> Results:
        if self.scale_factor != 1:
            for key in results.get('seg_fields', ()):
                results[key] = imrescale(results[key], self.scale_factor, interpolation='nearest')
        return results
