"""Transforms of torchvision (v2) as a step of a pipeline."""
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import torch

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.misc.optional import import_optional
from mmcv_replace.utils.suggest import did_you_mean

from ...builder import PIPELINES
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

INSTALL = ('install the torchvision that is made for the installed torch, from the same index: '
           'pip install torch torchvision --index-url URL')
_IMAGE_ALONE = 'it moves images without label maps: choose RandomAffine, ColorJitter and the like'
_BATCH = 'it mixes the samples of a batch, but a step gets one sample'
_SEVERAL = 'it makes several images of one, but a sample has one: MultiScaleFlipAug makes views'
REFUSED = {
    'Normalize': NORMALIZES, 'LinearTransformation': NORMALIZES,
    **dict.fromkeys(('ToDtype', 'ConvertImageDtype'), CHANGES_TYPE),
    **dict.fromkeys(('ToTensor', 'ToImage', 'ToPILImage', 'PILToTensor', 'ToPureTensor'),
                    MAKES_TENSORS),
    **dict.fromkeys(('AutoAugment', 'RandAugment', 'TrivialAugmentWide', 'AugMix'), _IMAGE_ALONE),
    **dict.fromkeys(('CutMix', 'MixUp'), _BATCH),
    **dict.fromkeys(('FiveCrop', 'TenCrop'), _SEVERAL)}
# Its modules with transforms that move pixels, and with those that hold others.
KEEPING = ('torchvision.transforms.v2._geometry', 'torchvision.transforms.v2._container')


@PIPELINES.register_module()
class TorchvisionTransform(ForeignTransforms):
    """Apply transforms of torchvision.transforms.v2.

    `transforms` are dicts with a class of that module as `type` and its arguments, among them
    further transforms (RandomApply, RandomChoice, RandomOrder). The image is RGB for them, and is
    interpolated bilinearly unless `interpolation` ('nearest', 'bicubic', ...) says otherwise; label
    maps are moved by nearest neighbour. The `fill` of a transform, 0 by default, is the value of
    pixels that it adds to the image; those of label maps get `seg_pad_val`, by default the
    dataset's `ignore_index`.

    All draws follow from the seed of the sample. Transforms that move pixels take images of any
    values and number of channels, others uint8, or float32 from 0 to 1.
    """

    copies_arrays = True

    def __init__(self, transforms: Sequence[dict[str, Any] | Callable],
                 seg_pad_val: int | None = UNSET) -> None:
        super().__init__(transforms, seg_pad_val)

    def library(self, fill: int) -> Library:
        v2, types = _import('transforms.v2'), _import('tv_tensors')

        def settle(cls: type, args: dict[str, Any]) -> dict[str, Any]:
            parameters = inspect.signature(cls).parameters
            settled = dict(args)
            if 'fill' in parameters:
                settled['fill'] = {types.Image: args.get('fill') or 0, types.Mask: fill}
            if 'interpolation' in parameters:
                mode = args.get('interpolation', parameters['interpolation'].default)
                settled['interpolation'] = _mode(v2, cls, mode, 'interpolation' in args)
            return settled

        def keeps_values(cls: type) -> bool:
            return cls.__module__ in KEEPING

        return Library('TorchvisionTransform', v2, (v2.Transform,), REFUSED, settle, keeps_values)

    def compose(self, transforms: list[Callable]) -> Callable[..., Any]:
        return _import('transforms.v2').Compose(transforms)

    def run(self, composed: Callable[..., Any], img: np.ndarray, masks: list[np.ndarray],
            ) -> tuple[Any, list[Any]]:
        types = _import('tv_tensors')
        # torch computes with few of the types of 16 bits.
        short = img.dtype in (np.uint16, np.int16)
        planes = torch.from_numpy(img.astype(np.int32) if short else img)
        planes = planes[None] if img.ndim == 2 else planes.permute(2, 0, 1)
        with torch.random.fork_rng(devices=[]):  # NumPy's generator decides, as in other steps
            torch.default_generator.manual_seed(np.random.randint(2**31))
            with _telling(composed):
                new, *moved = composed(types.Image(planes), *(
                    types.Mask(torch.from_numpy(mask)[None]) for mask in masks))
        if isinstance(new, torch.Tensor) and new.ndim == 3:
            new = new.as_subclass(torch.Tensor).permute(1, 2, 0).numpy()
            if short and new.dtype == np.int32:
                limits = np.iinfo(img.dtype)
                new = new.clip(limits.min, limits.max).astype(img.dtype)
        return new, [mask.as_subclass(torch.Tensor).numpy()[0]
                     if isinstance(mask, torch.Tensor) else mask for mask in moved]


@contextmanager
def _telling(composed: Callable[..., Any]) -> Iterator[None]:
    """Tell which transforms are applied, with what they draw, if anybody listens."""
    if not is_heard():
        yield
        return
    applied: list[tuple[str, dict[str, Any]]] = []

    def listen(transform: Any) -> None:
        make_params = transform.make_params

        def noted(flat_inputs: list[Any]) -> dict[str, Any]:
            params = make_params(flat_inputs)
            applied.append((type(transform).__name__, {
                name: value.numpy() if isinstance(value, torch.Tensor) else value
                for name, value in params.items()}))
            return params

        transform.make_params = noted

    transforms = [each for each in _with_inner(composed) if hasattr(each, 'make_params')]
    for transform in transforms:
        listen(transform)
    try:
        yield
    finally:
        for transform in transforms:
            del transform.make_params
    tell(**describe_applied(applied))


def _with_inner(transform: Any) -> Iterator[Any]:
    """A transform and those that it holds, each once."""
    found = {id(transform): transform}
    for inner in getattr(transform, 'transforms', None) or ():
        found |= {id(each): each for each in _with_inner(inner)}
    yield from found.values()


def _import(module: str) -> Any:
    return import_optional(f'torchvision.{module}', 'the step TorchvisionTransform', INSTALL)


def _mode(v2: ModuleType, cls: type, mode: Any, given: bool) -> Any:
    """The interpolation of images for a setting or, if it is not `given`, for a default."""
    modes = v2.InterpolationMode
    known = [entry.value for entry in modes]
    if isinstance(mode, str) and mode not in known:
        raise ConfigError(f'TorchvisionTransform: interpolation={mode!r} of {cls.__name__}'
                          f'{did_you_mean(mode, known)}: choose one of {", ".join(known)}')
    mode = modes(mode) if isinstance(mode, str) else mode
    return modes.BILINEAR if mode == modes.NEAREST and not given else mode
