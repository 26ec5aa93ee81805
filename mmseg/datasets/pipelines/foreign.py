"""The base of steps that hand samples to transforms of another library."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmcv_replace.image import bgr2rgb
from mmcv_replace.utils.errors import ConfigError, ConfigTypeError

from .base import Results
from .foreign_build import Builder, Library
from .ignored import DEFAULT, UNSET, LabelFiller, room_for

# Types whose pixels can be moved, and those among them that OpenCV's colour conversion takes.
MOVABLE = ('uint8', 'uint16', 'int16', 'float32', 'float64')
CONVERTIBLE = ('uint8', 'uint16', 'float32')

NORMALIZES = "the step Normalize does this, and records it for the later steps: put it behind"
MAKES_TENSORS = 'later steps take arrays, of which DefaultFormatBundle makes tensors: leave it out'
CHANGES_TYPE = ('later steps would take the new values for the old ones: leave it out; Normalize '
                'makes floats')


@dataclass
class Made:
    """Transforms of a library for one label of added pixels, and what built them."""

    run: Callable[..., Any]
    builder: Builder


class ForeignTransforms(LabelFiller):
    """Base of steps whose `transforms`, nested configs, are classes of another library.

    A subclass says which `library` it is, how its transforms are composed (`compose`) and called
    (`run`).
    """

    def __init__(self, transforms: Sequence[dict[str, Any] | Callable],
                 seg_pad_val: int | None = UNSET) -> None:
        self.transforms = transforms
        self._set_fill(seg_pad_val)
        self._made: dict[int, Made] = {}
        self._make(DEFAULT)

    def library(self, fill: int) -> Library:
        """The library, whose transforms give pixels that they add the label `fill`.

        Raises MissingModuleError where it cannot be imported.
        """
        raise NotImplementedError

    def compose(self, transforms: list[Callable]) -> Callable[..., Any]:
        """One transform that applies several in turn."""
        raise NotImplementedError

    def run(self, composed: Callable[..., Any], img: np.ndarray, masks: list[np.ndarray],
            ) -> tuple[Any, list[Any]]:
        """Apply composed transforms to an RGB image and masks [H, W]."""
        raise NotImplementedError

    def mask_keys(self, results: Results) -> list[str]:
        """The keys of all arrays that are moved as label maps."""
        return list(results.get('seg_fields', ()))

    def __getstate__(self) -> dict[str, Any]:
        # Another process builds its own: the places of transforms are known by their identity.
        return {**vars(self), '_made': {}}

    def __call__(self, results: Results) -> Results:
        """Change the image, and the label maps alike; refuses what later steps would not expect."""
        fill = self.label_fill(results)
        fill = DEFAULT if fill is None else fill
        made = self._make(fill)
        img, keys = results['img'], self.mask_keys(results)
        self._check_image(img, made)
        self._check_sizes(results, keys)
        masks = _as_masks([results[key] for key in keys], fill)
        if not results.get('seg_fields'):
            masks.append(_numbered(img))
        new, moved = self._run(made, results, masks)
        if not results.get('seg_fields') and not np.array_equal(moved[-1], _numbered(img)):
            raise ConfigError(
                f'{self._owner}: pixels of an image without label maps, as in a test pipeline, '
                'were moved, and what is predicted of them would not be moved back: leave out the '
                'transforms that do so; what Resize, RandomFlip and Pad do is undone')
        for key, mask in zip(keys, moved, strict=False):
            results[key] = mask.astype(room_for(results[key], fill).dtype, copy=False)
        self._record(results, new)
        return results

    def _run(self, made: Made, results: Results, masks: list[np.ndarray],
             ) -> tuple[np.ndarray, list[np.ndarray]]:
        """The changed image in the order of channels of the old one, and the changed masks."""
        img = results['img']
        is_bgr = not (results.get('img_norm_cfg', {}).get('to_rgb')
                      or results.get('channels_are') == 'file')
        rgb = _turned(img, is_bgr)
        kind = masks[0].dtype
        try:
            new, moved = self.run(made.run, rgb.copy() if rgb is img else rgb, masks)
        except Exception as error:  # of any class: that of a library
            sample = f'an image of {_described(img)} with {len(masks)} maps of {kind}'
            explained = made.builder.explain(error, sample)
            if explained is None:
                raise
            raise explained from error
        new = self._check_result(img, new, kind, moved)
        return np.ascontiguousarray(_turned(new, is_bgr)), moved

    @property
    def _owner(self) -> str:
        return type(self).__name__

    def _make(self, fill: int) -> Made:
        """The transforms that fill label maps with `fill`, built when they are first needed."""
        if fill not in self._made:
            if not isinstance(self.transforms, list | tuple) or not self.transforms:
                raise ConfigTypeError(f'{self._owner}: transforms={self.transforms!r}: give a list '
                                      'of dicts, each with the type of a transform')
            builder = Builder(self.library(fill))
            built = builder.build(list(self.transforms), 'transforms')
            for number, transform in enumerate(built):
                if not callable(transform):
                    raise ConfigTypeError(f'{self._owner}: transforms[{number}]='
                                          f'{self.transforms[number]!r}: give a dict with a type')
            self._made[fill] = Made(self.compose(built), builder)
        return self._made[fill]

    def _check_image(self, img: np.ndarray, made: Made) -> None:
        if img.dtype.name not in MOVABLE:
            raise ConfigError(f'{self._owner}: an image of {img.dtype}, but it takes '
                              f'{", ".join(MOVABLE)}')
        if not made.builder.changing or img.dtype == np.uint8:
            return
        # Both libraries clip floats to the range from 0 to 1, and read the limits of other
        # integers as those of their type.
        if img.dtype != np.float32 or not (img.min() >= 0 and img.max() <= 1):
            raise ConfigError(
                f'{self._owner}: {made.builder.changing[0]} changes values, and takes images of '
                'uint8, or of float32 from 0 to 1, but this one is '
                f'{img.dtype} from {img.min():g} to {img.max():g}: load without to_float32, and '
                'put this step before Normalize; transforms that only move pixels take any values')

    def _check_sizes(self, results: Results, keys: Sequence[str]) -> None:
        size = results['img'].shape[:2]
        for key in keys:
            if results[key].shape != size:
                raise ConfigError(
                    f'{self._owner}: {key} has {list(results[key].shape)} pixels, the image '
                    f'{list(size)}: both must be of one size (put SegRescale behind this step)')

    def _check_result(self, img: np.ndarray, new: Any, kind: np.dtype,
                      moved: list[Any]) -> np.ndarray:
        """The new image, in as many dimensions as the old one; masks are to be of a `kind`."""
        if any(not isinstance(array, np.ndarray) or array.dtype != dtype
               for array, dtype in [(new, img.dtype), *((mask, kind) for mask in moved)]):
            raise ConfigError(
                f'{self._owner}: its transforms have turned an image of {_described(img)} into '
                f'{_described(new)}, and label maps of {kind} into {_described(moved[0])}: leave '
                'out what changes types or makes tensors; Normalize and DefaultFormatBundle do '
                'this later')
        if any(array.shape[:2] != new.shape[:2] for array in moved):
            raise ConfigError(
                f'{self._owner}: its transforms have made an image of {list(new.shape[:2])} and a '
                f'label map of {list(moved[0].shape[:2])} pixels: leave out what changes only one '
                'of both')
        return new[..., 0] if img.ndim == 2 and new.ndim == 3 and new.shape[2] == 1 else new

    def _record(self, results: Results, new: np.ndarray) -> None:
        if new.shape != results['img'].shape:
            results['img_shape'] = results['pad_shape'] = new.shape
        results['img'] = new
        if results.get('seg_fields') and 'flip' not in results:
            # For Collect, where no RandomFlip does it; one that follows still draws for itself.
            results.update(flip=False, flip_direction='horizontal', flip_from='step')


def _as_masks(labels: list[np.ndarray], fill: int) -> list[np.ndarray]:
    """Copies of label maps in one type, which every transform moves without changing values."""
    small = 0 <= fill <= 255 and all(
        label.dtype == np.uint8 or (label.dtype.kind in 'iu' and label.size > 0
                                    and label.min() >= 0 and label.max() <= 255)
        for label in labels)
    return [label.astype(np.uint8 if small else np.float64) for label in labels]


def _numbered(img: np.ndarray) -> np.ndarray:
    """A map that differs in each pixel, and so after each move of them."""
    return np.arange(img.shape[0] * img.shape[1], dtype=np.float64).reshape(img.shape[:2])


def _turned(img: np.ndarray, is_bgr: bool) -> np.ndarray:
    """An image of three channels in the opposite order if they are BGR; any other one itself."""
    if not is_bgr or img.ndim < 3 or img.shape[2] != 3:
        return img
    return bgr2rgb(img) if img.dtype.name in CONVERTIBLE else img[..., ::-1].copy()


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f'{value.dtype} {list(value.shape)}'
    return f'{type(value).__name__} {list(getattr(value, "shape", ()))}'
