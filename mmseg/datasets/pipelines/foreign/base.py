"""The base of steps that hand samples to transforms of another library."""
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmcv_replace.image import bgr2rgb
from mmcv_replace.utils.errors import ConfigTypeError

from ..base import Results
from ..ignored import DEFAULT, UNSET, LabelFiller, room_for
from .build import Builder, Library
from .checks import check_image, check_result, check_sizes, check_unmoved, described

# Types that OpenCV's conversion of colours takes.
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
        check_image(self._owner, img, made.builder.changing)
        check_sizes(self._owner, img, {key: results[key] for key in keys})
        labels = [results[key] for key in keys]
        is_test = not results.get('seg_fields')
        if is_test:
            labels.append(_numbered(img))
        new, moved = self._run(made, results, _as_masks(labels, fill))
        if is_test:
            check_unmoved(self._owner, labels[-1], moved[-1])
        for key, mask in zip(keys, moved, strict=False):
            results[key] = mask.astype(room_for(results[key], fill).dtype, copy=False)
        self._record(results, new)
        return results

    def _run(self, made: Made, results: Results, masks: list[np.ndarray],
             ) -> tuple[np.ndarray, list[np.ndarray]]:
        """The changed image in the order of channels of the old one, and the changed masks."""
        img = results['img']
        is_bgr = not results.get('img_norm_cfg', {}).get('to_rgb')
        rgb = _turned(img, is_bgr)
        kind = masks[0].dtype
        try:
            new, moved = self.run(made.run, rgb.copy() if rgb is img else rgb, masks)
        except Exception as error:  # of any class: that of a library
            sample = f'an image of {described(img)} with {len(masks)} maps of {kind}'
            explained = made.builder.explain(error, sample)
            if explained is None:
                raise
            raise explained from error
        new = check_result(self._owner, img, new, kind, moved)
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

    def _record(self, results: Results, new: np.ndarray) -> None:
        if new.shape != results['img'].shape:
            results['img_shape'] = results['pad_shape'] = new.shape
        results['img'] = new
        if results.get('seg_fields') and 'flip' not in results:
            # For Collect, where no RandomFlip does it; one that follows still draws for itself.
            results.update(flip=False, flip_direction='horizontal', flip_from='step')


def describe_applied(applied: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Name -> drawn parameters of the transforms that were applied."""
    told: dict[str, Any] = {}
    for number, (name, params) in enumerate(applied, start=1):
        told[f'{name} ({number})' if name in told else name] = params
    return told or {'applied': 'none'}


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
