"""Change the size of the image and its label maps."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmcv_replace.image import imrescale, imresize, imresize_to_multiple, rescale_size
from mmcv_replace.image.resize import check_choice, cv2_interp_codes
from mmcv_replace.utils.errors import ConfigError
from mmseg.core import is_own, standard

from ..builder import PIPELINES
from .base import Results, Step, Transform, match
from .checks import MAX_EDGE, check_numbers, is_size
from .crop import RandomCrop
from .resized_crop import ResizedCrop, Resizing, Size

RATIOS = (0.01, 100)  # accepted factors, from the smallest to the largest


def as_scales(img_scale: Sequence[int] | Sequence[Sequence[int]]) -> list[Size]:
    """List of one or several (width, height), which JSON has as lists.

    Raises ConfigError for anything else.
    """
    several = isinstance(img_scale, list | tuple) and all(
        isinstance(scale, list | tuple) for scale in img_scale)
    scales = list(img_scale) if several else [img_scale]
    if not scales or not all(map(is_size, scales)):
        raise ConfigError(f'cannot read img_scale={img_scale!r}: give (width, height) in pixels, '
                          'or a list of them')
    return [tuple(scale) for scale in scales]


@PIPELINES.register_module()
class Resize(Transform):
    """Resize the image bilinearly, and its label maps to the nearest pixel.

    The size is the first that applies of
    - `results['scale']`, where test-time augmentation requests it: taken by the first of these
      steps, and by later ones without a size of their own;
    - with `ratio_range`: `img_scale` (width, height) or the image's own size, times a factor;
    - a single `img_scale`;
    - one of several ('value'), or edges drawn from between two of them ('range').
    With `keep_ratio` the image is as large as fits into that size; with `min_size` as well, its
    shorter edge is that of the size, or `min_size` if that is more, whatever its longer edge
    becomes (for models of images of a fixed size). `scale_factor` describes all of these steps
    together; `scale_from` tells a request ('test') from a draw ('step').
    """

    fusible = True
    copies_arrays = True

    def __init__(self, img_scale: Sequence[int] | Sequence[Sequence[int]] | None = None,
                 multiscale_mode: str = 'range', ratio_range: tuple[float, float] | None = None,
                 keep_ratio: bool = True, min_size: int | None = None) -> None:
        if min_size is not None:
            check_numbers('Resize', 'min_size', min_size, least=1, most=MAX_EDGE)
            if not keep_ratio:
                raise ConfigError(f'Resize: min_size={min_size} needs keep_ratio=True')
        if ratio_range is not None:
            check_numbers('Resize', 'ratio_range', ratio_range, 2, *RATIOS)
        self.img_scale = None if img_scale is None else as_scales(img_scale)
        self.multiscale_mode = multiscale_mode
        self.ratio_range = ratio_range
        self.keep_ratio = keep_ratio
        self.min_size = min_size
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
    def cache_level(self) -> str | None:
        """'resized' where all images get the same `img_scale`."""
        return 'resized' if self.ratio_range is None and len(self.img_scale or ()) == 1 else None

    def __call__(self, results: Results) -> Results:
        if not any(is_own(self, name) for name in ('_random_scale', '_resize_img', '_resize_seg')):
            return super().__call__(results)
        if not self._is_requested(results):
            source = results.get('scale_from', 'step')
            self._random_scale(results)
            results['scale_from'] = source
        self._resize_img(results)
        self._resize_seg(results)
        return results

    def draw(self, results: Results) -> Resizing:
        """The image's new (width, height), and the keys to record about it."""
        if self._is_requested(results):
            return self._plan(results, scale=results['scale'], scale_from='test')
        scale, index = self._draw_scale(results['img'].shape)
        return self._plan(results, scale=scale, scale_idx=index,
                          scale_from=results.get('scale_from', 'step'))

    def _is_requested(self, results: Results) -> bool:
        """Whether the size is `results['scale']`."""
        source = results.get('scale_from')
        sizeless = not (self.img_scale or self.ratio_range)
        return 'scale' in results and (source is None or (source == 'test' and sizeless))

    def _plan(self, results: Results, **keys: Any) -> Resizing:
        shape = results['img'].shape
        size = self._size(shape, keys['scale'])
        factors = (size[0] / shape[1], size[1] / shape[0])
        keys['scale_factor'] = (np.array(factors * 2, np.float32)
                                * results.get('scale_factor', 1.0))
        return size, keys

    def describe(self, params: Resizing) -> dict[str, Any]:
        size, keys = params
        return {name: f'{width} x {height}'
                for name, (width, height) in (('scale', keys['scale']), ('size', size))}

    def apply_image(self, img: np.ndarray, params: Resizing) -> np.ndarray:
        return imresize(img, params[0], interpolation='bilinear')

    def apply_label(self, label: np.ndarray, params: Resizing) -> np.ndarray:
        _, keys = params
        return imresize(label, self._size(label.shape, keys['scale']), interpolation='nearest')

    def record(self, results: Results, params: Resizing) -> None:
        shape, (_, keys) = results['img'].shape, params
        results.update(keys, img_shape=shape, pad_shape=shape, keep_ratio=self.keep_ratio)

    def fuse_with(self, following: Sequence[Step]) -> tuple[Step, int] | None:
        return (ResizedCrop(self, following[0]), 1) if match(following, RandomCrop) else None

    def _size(self, shape: Sequence[int], scale: Size) -> Size:
        if not self.keep_ratio:
            return scale
        factor = scale if self.min_size is None else (
            max(self.min_size, min(scale)) / min(shape[:2]))
        return rescale_size((shape[1], shape[0]), factor)

    def _draw_scale(self, img_shape: Sequence[int]) -> tuple[Size, int | None]:
        """The (width, height) to resize to, and its index in `img_scale`, None for another one."""
        scales = self.img_scale
        if self.ratio_range is not None:
            return self.random_sample_ratio(
                scales[0] if scales else (img_shape[1], img_shape[0]), self.ratio_range)
        if scales is None:
            raise ConfigError("Resize: no size given; set img_scale or ratio_range, or put it "
                              'into MultiScaleFlipAug')
        if len(scales) == 1:
            return scales[0], 0
        return self.random_select(scales) if self.multiscale_mode == 'value' else (
            self.random_sample(scales))

    # A subclass may override what follows, and call it, as in mmsegmentation 0.x.
    @standard
    def _random_scale(self, results: Results) -> None:
        """Draw the size of the sample: `scale` and `scale_idx`."""
        results['scale'], results['scale_idx'] = self._draw_scale(results['img'].shape)

    @standard
    def _resize_img(self, results: Results) -> None:
        """Resize the image to `scale`."""
        params = self._plan(results, scale=results['scale'])
        results['img'] = self.apply_image(results['img'], params)
        self.record(results, params)

    @standard
    def _resize_seg(self, results: Results) -> None:
        """Resize the label maps to `scale`."""
        size = tuple(results['img'].shape[1::-1])
        for key in results.get('seg_fields', ()):
            results[key] = self.apply_label(results[key], (size, dict(scale=results['scale'])))

    @staticmethod
    def random_select(img_scales: Sequence[Size]) -> tuple[Size, int | None]:
        """One of the (width, height), and its index."""
        index = np.random.randint(len(img_scales))
        return img_scales[index], index

    @staticmethod
    def random_sample(img_scales: Sequence[Size]) -> tuple[Size, int | None]:
        """A longer and a shorter edge between those of the sizes, and None."""
        longs, shorts = [max(scale) for scale in img_scales], [min(scale) for scale in img_scales]
        return (np.random.randint(min(longs), max(longs) + 1),
                np.random.randint(min(shorts), max(shorts) + 1)), None

    @staticmethod
    def random_sample_ratio(img_scale: Size, ratio_range: tuple[float, float]
                            ) -> tuple[Size, int | None]:
        """A (width, height) times a factor between two, and None."""
        low, high = min(ratio_range), max(ratio_range)
        factor = np.random.random_sample() * (high - low) + low
        return (int(img_scale[0] * factor), int(img_scale[1] * factor)), None


@PIPELINES.register_module()
class ResizeToMultiple(Transform):
    """Enlarge the image, and its label maps to the nearest pixel, to multiples of `size_divisor`.

    `interpolation` is that of the image, 'bilinear' by default.
    """

    def __init__(self, size_divisor: int = 32, interpolation: str | None = None) -> None:
        check_numbers('ResizeToMultiple', 'size_divisor', size_divisor, least=1, most=MAX_EDGE)
        if interpolation is not None:
            check_choice('ResizeToMultiple: interpolation', interpolation, cv2_interp_codes)
        self.size_divisor = size_divisor
        self.interpolation = interpolation

    def apply_image(self, img: np.ndarray, params: None) -> np.ndarray:
        return imresize_to_multiple(img, self.size_divisor, scale_factor=1,
                                    interpolation=self.interpolation or 'bilinear')

    def apply_label(self, label: np.ndarray, params: None) -> np.ndarray:
        return imresize_to_multiple(label, self.size_divisor, scale_factor=1,
                                    interpolation='nearest')

    def record(self, results: Results, params: None) -> None:
        shape, before = results['img'].shape, results.get('img_shape')
        results['img_shape'] = results['pad_shape'] = shape
        if before is not None:
            factors = np.array((shape[1] / before[1], shape[0] / before[0]) * 2, np.float32)
            results['scale_factor'] = factors * results.get('scale_factor', 1.0)


@PIPELINES.register_module()
class SegRescale(Transform):
    """Resize the label maps alone, by a factor."""

    def __init__(self, scale_factor: float = 1) -> None:
        check_numbers('SegRescale', 'scale_factor', scale_factor, None, *RATIOS)
        self.scale_factor = scale_factor

    def __call__(self, results: Results) -> Results:
        for key in results.get('seg_fields', ()):
            results[key] = self.apply_label(results[key], None)
        return results

    def apply_label(self, label: np.ndarray, params: None) -> np.ndarray:
        return label if self.scale_factor == 1 else imrescale(
            label, self.scale_factor, interpolation='nearest')
