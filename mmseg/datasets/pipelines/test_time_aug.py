"""Test-time augmentation: several views of one image, whose predictions are averaged."""
import logging
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from mmcv_replace.utils.errors import ConfigError

from ..builder import PIPELINES
from .base import Results, Transform
from .checks import check_numbers
from .compose import Compose
from .resize import RATIOS, Size, as_scales


@PIPELINES.register_module()
class MultiScaleFlipAug(Transform):
    """Run `transforms` for each scale and, with `flip`, for the unflipped and the flipped image.

    Scales are `img_scale` (one or several (width, height)), a single `img_scale` times each of
    `img_ratios`, or the image's own size times each of them. Each key of the result holds the list
    of its values in all views. Warns of settings without effect.
    """

    def __init__(self, transforms: Sequence[dict[str, Any] | Callable],
                 img_scale: Sequence[int] | Sequence[Sequence[int]] | None,
                 img_ratios: float | Sequence[float] | None = None, flip: bool = False,
                 flip_direction: str | Sequence[str] = 'horizontal') -> None:
        self.transforms = Compose(transforms)
        self.img_ratios = [img_ratios] if isinstance(img_ratios, int | float) else img_ratios
        if self.img_ratios is not None:
            check_numbers('MultiScaleFlipAug', 'img_ratios', self.img_ratios, len(self.img_ratios),
                          *RATIOS)
        self.img_scale = None if img_scale is None else as_scales(img_scale)
        self.flip = flip
        self.flip_direction = (
            [flip_direction] if isinstance(flip_direction, str) else list(flip_direction))
        if not self.flip_direction:
            raise ConfigError('MultiScaleFlipAug: flip_direction=[] leaves no view of an image: '
                              'name one or more')
        if self.img_scale is None and not self.img_ratios:
            raise ConfigError('MultiScaleFlipAug: give img_scale, img_ratios or both')
        if self.img_ratios and self.img_scale and len(self.img_scale) > 1:
            raise ConfigError('MultiScaleFlipAug: img_ratios go with one img_scale, not '
                              f'{len(self.img_scale)}')
        if self.img_ratios and self.img_scale:
            self.img_scale = self._times_ratios(*self.img_scale[0])
        self._warn_without_effect()

    def __call__(self, results: Results) -> dict[str, list] | None:
        if 'flip_from' in results:
            raise ConfigError('MultiScaleFlipAug: a RandomFlip before it flips images, and nothing '
                              'would turn their predictions back: move it into transforms')
        # A scale that an earlier step has drawn must not be confused with that of the view.
        results = {key: value for key, value in results.items() if key != 'scale_from'}
        views = [self.transforms({**results, **view}) for view in self.views(results['img'].shape)]
        if any(view is None for view in views):
            return None
        return {key: [view[key] for view in views] for key in views[0]}

    def views(self, img_shape: Sequence[int]) -> list[dict[str, Any]]:
        """`scale`, `flip` and `flip_direction` of each view of an image."""
        settings = product(self._scales(img_shape), (False, True) if self.flip else (False,),
                           self.flip_direction)
        return [dict(scale=scale, flip=flip, flip_direction=direction)
                for scale, flip, direction in settings]

    def _scales(self, img_shape: Sequence[int]) -> list[Size]:
        return self.img_scale or self._times_ratios(img_shape[1], img_shape[0])

    def _times_ratios(self, width: int, height: int) -> list[Size]:
        return [(int(width * ratio), int(height * ratio)) for ratio in self.img_ratios]

    def _warn_without_effect(self) -> None:
        logger = logging.getLogger('mmseg.datasets')
        if not self.flip and self.flip_direction != ['horizontal']:
            logger.warning('MultiScaleFlipAug: flip_direction has no effect with flip=False')
        if self.flip and not any('RandomFlip' in (cls.__name__ for cls in type(step).__mro__)
                                 for step in self.transforms.transforms):
            logger.warning('MultiScaleFlipAug: flip has no effect without RandomFlip in transforms')
