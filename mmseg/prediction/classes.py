"""The classes of a model: colours, shares of an image, and pixels too uncertain to have one."""
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from mmseg.core import voc_colormap
from mmseg.core.evaluation import Prediction

BYTE_IGNORED = 255
DEEP_IGNORED = 65535  # where 255 is a class


def ignored_value(classes: int) -> int:
    """The value of pixels without a class in masks of a model with this number of classes."""
    return BYTE_IGNORED if classes <= BYTE_IGNORED else DEEP_IGNORED


def count_classes(seg_map: np.ndarray, ignored: int | None = None) -> tuple[np.ndarray, int]:
    """Pixels of each class in a label map [H, W], and those of the value `ignored`."""
    counts = np.bincount(seg_map.ravel())
    if ignored is None or len(counts) <= ignored:
        return counts, 0
    uncertain, counts[ignored] = int(counts[ignored]), 0
    return counts, uncertain


def shares_by_name(counts: np.ndarray, names: Sequence[str] | None, pixels: int
                   ) -> dict[str, float]:
    """The share of each class that has pixels, in the order of the classes.

    counts: [C], pixels of each class of an image of `pixels`. A class without a name of its own is
    called by its number, or has it behind the name.
    """
    return {class_name(label, names): round(int(counts[label]) / pixels, 6)
            for label in np.flatnonzero(counts).tolist()}


def class_name(label: int, names: Sequence[str] | None) -> str:
    """The name of a class, which no other class has."""
    if names is None or label >= len(names):
        return str(label)
    name = str(names[label])
    return name if list(map(str, names)).count(name) == 1 else f'{name} {label}'


def ignore_uncertain(predictions: Iterable[Prediction], threshold: float, ignored: int
                     ) -> Iterator[Prediction]:
    """Give pixels whose confidence is below `threshold` the value `ignored`."""
    for prediction in predictions:
        seg_map, scores = prediction.seg_map, prediction.scores
        if scores.ndim == 3:
            scores = np.take_along_axis(scores, seg_map[None].astype(np.intp), axis=0)[0]
        if ignored > np.iinfo(seg_map.dtype).max:
            seg_map = seg_map.astype(np.int32)
        yield replace(prediction, seg_map=np.where(scores < threshold,
                                                   seg_map.dtype.type(ignored), seg_map))


def class_count(model: nn.Module) -> int:
    """The number of classes that a segmentor predicts, at least two."""
    return max(getattr(model, 'num_classes', 0), len(getattr(model, 'CLASSES', None) or ()), 2)


def palette_of(model: nn.Module) -> np.ndarray:
    """RGB colours [C, 3] of the classes of a segmentor: its own, or VOC's."""
    palette = getattr(model, 'PALETTE', None)
    return np.asarray(voc_colormap(class_count(model)) if palette is None else palette, np.uint8)
