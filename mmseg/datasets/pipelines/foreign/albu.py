"""Transforms of albumentations as a step of a pipeline."""
import inspect
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mmcv_replace.utils.errors import ConfigError, ConfigKeyError
from mmcv_replace.utils.misc.optional import import_optional
from mmcv_replace.utils.suggest import did_you_mean

from ...builder import PIPELINES
from ..base import Results
from ..draws import is_heard, tell
from ..ignored import UNSET
from .base import (
    CHANGES_TYPE,
    MAKES_TENSORS,
    NORMALIZES,
    ForeignTransforms,
    describe_applied,
)
from .build import Library

INSTALL = "pip install 'mmseg-ascend[albu]'"
REFUSED = {
    'Normalize': NORMALIZES, 'ToFloat': CHANGES_TYPE, 'FromFloat': CHANGES_TYPE,
    'ToTensorV2': MAKES_TENSORS, 'ToTensor3D': MAKES_TENSORS,
    'Mosaic': 'the step RandomMosaic of a MultiImageMixDataset does this'}
SIZES = ('shape', 'rows', 'cols')  # of the image, among what a transform has drawn
MASKS = ('mask', 'masks')


@PIPELINES.register_module()
class Albu(ForeignTransforms):
    """Apply transforms of albumentations (2.0.8, the last version under the MIT license).

    `transforms` are dicts with a class of albumentations as `type` and its arguments, among them
    further transforms (OneOf, SomeOf, Sequential and the like). The image is RGB for them; label
    maps are moved by nearest neighbour, and `gt_semantic_seg` is the mask of transforms that look
    at one. Where a transform has `fill_mask`, pixels that it adds to label maps get `seg_pad_val`,
    by default the dataset's `ignore_index`; a transform that covers pixels (CoarseDropout) leaves
    the labels as they are unless its own `fill_mask` is set.

    All draws follow from the seed of the sample. Transforms that move pixels take images of any
    values and number of channels, others uint8, or float32 from 0 to 1.

    `keymap` names, beside the image and the label maps of `seg_fields`, which are always taken,
    other arrays [H, W] of the sample that are moved alike: {'gt_depth': 'mask'}.
    """

    copies_arrays = True

    def __init__(self, transforms: Sequence[dict[str, Any] | Callable],
                 keymap: dict[str, str] | None = None, seg_pad_val: int | None = UNSET) -> None:
        for key, target in (keymap or {}).items():
            if (target != 'image') if key == 'img' else (target not in MASKS):
                raise ConfigError(
                    f"Albu: keymap has {key!r} as {target!r}: 'img' is the 'image', and everything "
                    f"else a 'mask', such as dict(img='image', gt_semantic_seg='mask')")
        self.keymap = keymap
        super().__init__(transforms, seg_pad_val)

    def library(self, fill: int) -> Library:
        albumentations = _import()

        def settle(cls: type, args: dict[str, Any]) -> dict[str, Any]:
            parameter = inspect.signature(cls).parameters.get('fill_mask')
            # None stands for labels that stay as they are.
            fills = parameter is not None and parameter.default is not None
            return {'fill_mask': fill, **args} if fills else args

        def keeps_values(cls: type) -> bool:
            return issubclass(cls, (albumentations.DualTransform, albumentations.BaseCompose))

        return Library('Albu', albumentations,
                       (albumentations.BasicTransform, albumentations.BaseCompose), REFUSED,
                       settle, keeps_values)

    def compose(self, transforms: list[Callable]) -> Callable[..., Any]:
        return _import().Compose(transforms)

    def run(self, composed: Callable[..., Any], img: np.ndarray, masks: list[np.ndarray],
            ) -> tuple[Any, list[Any]]:
        # Its generators do not follow NumPy's: by themselves all workers would draw alike.
        composed.set_random_seed(np.random.randint(2**31))
        # Transforms that look at the labels look at `mask`; an empty `masks` is an error.
        targets = dict(mask=masks[0], masks=masks[1:]) if masks[1:] else dict(mask=masks[0])
        composed.save_applied_params = is_heard()
        changed = composed(image=img, **targets)
        if is_heard():
            tell(**describe_applied(
                (name, {what: value for what, value in params.items() if what not in SIZES})
                for name, params in changed['applied_transforms']))
        return changed['image'], [changed['mask'], *changed.get('masks', ())]

    def mask_keys(self, results: Results) -> list[str]:
        fields = super().mask_keys(results)
        keys = sorted(fields, key=lambda name: name != 'gt_semantic_seg')  # it comes first
        others = [key for key in self.keymap or () if key not in ('img', *keys)]
        missing = [key for key in others if key not in results]
        if missing and keys:
            raise ConfigKeyError(f'Albu: keymap names {missing[0]!r}, which no step before it has '
                                 f'made{did_you_mean(missing[0], results)}')
        return [*keys, *(key for key in others if key in results)]


def _import() -> Any:
    # Where nothing is set, the import asks a server on the internet for the newest version.
    os.environ.setdefault('NO_ALBUMENTATIONS_UPDATE', '1')
    return import_optional('albumentations', 'the step Albu', INSTALL)
