"""The classes of a model: colours, shares of an image, and pixels too uncertain to have one."""
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from mmseg.core.evaluation import Prediction
from mmseg.visualization.colours import distinct_colours

BYTE_IGNORED = 255
DEEP_IGNORED = 65535  # where 255 is a class
UNCERTAIN_COLOUR = (224, 224, 192)  # RGB, that of 255 in VOC's masks


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


def shares_by_name(counts: np.ndarray, names: Sequence[str], pixels: int) -> dict[str, float]:
    """The share of each class that has pixels, in the order of the classes.

    counts: [C], pixels of each class of an image of `pixels`. names: those of `class_names`.
    """
    return {names[label] if label < len(names) else str(label): round(
        int(counts[label]) / pixels, 6) for label in np.flatnonzero(counts).tolist()}


def class_names(names: Sequence[str] | None, number: int) -> list[str]:
    """Names of a number of classes, each of which no other class has.

    A class without a name is called by its number; one that shares its name has it behind that.
    """
    known = [str(name) for name in names or ()][:number]
    told = known + [str(label) for label in range(len(known), number)]
    counts = Counter(told)
    while len(counts) < number:
        told = [name if counts[name] == 1 else f'{name} {label}'
                for label, name in enumerate(told)]
        counts = Counter(told)
    return told


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
    """RGB colours [C, 3] of the classes of a segmentor: its own, and distinct ones for the rest."""
    palette = getattr(model, 'PALETTE', None)
    own = () if palette is None else palette
    return distinct_colours(max(class_count(model), len(own)), own)


def mask_palette(palette: np.ndarray, ignored: int) -> np.ndarray:
    """RGB colours for masks of classes with a palette [C, 3], and of uncertain pixels."""
    if ignored != BYTE_IGNORED or len(palette) > ignored:
        return palette
    black = np.zeros((ignored - len(palette), 3), np.uint8)
    return np.concatenate([palette, black, np.array([UNCERTAIN_COLOUR], np.uint8)])
