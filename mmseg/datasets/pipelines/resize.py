"""Change the size of the image and its label maps."""
from collections.abc import Sequence

import numpy as np

from mmcv_replace.image import imrescale, imresize, rescale_size
from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results, Transform
from .checks import check_numbers

Size = tuple[int, int]
RATIOS = (0.01, 100)  # the smallest and the largest that make sense


def as_scales(img_scale: Sequence[int] | Sequence[Sequence[int]]) -> list[Size]:
    """One (width, height) or several as a list of tuples; lists stand for tuples, as in JSON."""
    several = isinstance(img_scale, list | tuple) and all(
        isinstance(scale, list | tuple) for scale in img_scale)
    scales = list(img_scale) if several else [img_scale]
    if not scales or not all(map(_is_size, scales)):
        raise ConfigError(f'cannot read img_scale={img_scale!r}: give (width, height) in pixels, '
                          'or a list of them')
    return [tuple(scale) for scale in scales]


def _is_size(scale: object) -> bool:
    return isinstance(scale, list | tuple) and len(scale) == 2 and all(
        isinstance(edge, int) and edge > 0 for edge in scale)


@PIPELINES.register_module()
class Resize(Transform):
    """Resize the image bilinearly and its label maps to the nearest pixel.

    The size is, in this order: `results['scale']` where a test has set it, in the first of these
    steps and in those without a size of their own; `img_scale` (or the image's own size without it)
    times a factor drawn from `ratio_range`; the one `img_scale`; one of several ('value'), or edges
    drawn between two of them ('range'). With `keep_ratio` the image is as large as fits into that
    size. `scale_factor` tells what all these steps together have made of the image's size.
    """

    def __init__(
        self,
        img_scale: Sequence[int] | Sequence[Sequence[int]] | None = None,
        multiscale_mode: str = 'range',
        ratio_range: tuple[float, float] | None = None,
        keep_ratio: bool = True,
    ) -> None:
        if ratio_range is not None:
            check_numbers('Resize', 'ratio_range', ratio_range, 2, *RATIOS)
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

    @property
    def is_fixed(self) -> bool:
        """Whether the size of an image is always the same, where no step before sets another."""
        return self.ratio_range is None and len(self.img_scale or ()) == 1

    def __call__(self, results: Results) -> Results:
        return self.resize_to(results, self.choose_size(results))

    def resize_to(self, results: Results, size: Size) -> Results:
        """Resize the image to the (width, height) chosen for it, and the label maps like it."""
        img = imresize(results['img'], size, interpolation='bilinear')
        self.note_size(results, img.shape)
        results.update(img=img, img_shape=img.shape)
        for key in results.get('seg_fields', ()):
            size = self._size(results[key].shape, results['scale'])
            results[key] = imresize(results[key], size, interpolation='nearest')
        return results

    def choose_size(self, results: Results) -> Size:
        """The (width, height) to resize the image to; draws `results['scale']` if need be."""
        decided_by, sizeless = results.get('scale_from'), not (self.img_scale or self.ratio_range)
        if 'scale' in results and (decided_by is None or (decided_by == 'test' and sizeless)):
            results['scale_from'] = 'test'
        else:
            results['scale'], results['scale_idx'] = self._draw_scale(results['img'].shape)
            results['scale_from'] = decided_by or 'step'
        return self._size(results['img'].shape, results['scale'])

    def note_size(self, results: Results, shape: tuple[int, ...]) -> None:
        """Note in `results`, which have the image as it was, that it gets another shape."""
        factors = (shape[1] / results['img'].shape[1], shape[0] / results['img'].shape[0])
        results.update(
            pad_shape=shape,  # until Pad says otherwise
            scale_factor=np.array(factors * 2, np.float32) * results.get('scale_factor', 1.0),
            keep_ratio=self.keep_ratio)

    def _size(self, shape: Sequence[int], scale: Size) -> Size:
        return rescale_size((shape[1], shape[0]), scale) if self.keep_ratio else scale

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


@PIPELINES.register_module()
class SegRescale(Transform):
    """Resize the label maps only, by a factor."""

    def __init__(self, scale_factor: float = 1) -> None:
        check_numbers('SegRescale', 'scale_factor', scale_factor, None, *RATIOS)
        self.scale_factor = scale_factor

    def __call__(self, results: Results) -> Results:
        if self.scale_factor != 1:
            for key in results.get('seg_fields', ()):
                results[key] = imrescale(results[key], self.scale_factor, interpolation='nearest')
        return results
