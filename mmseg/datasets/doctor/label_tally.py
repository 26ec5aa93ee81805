"""Counts of the labels in the masks of a split, and class weights against their imbalance."""
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ..masks.annotation import label_remedy, lossy_remedy
from .findings import Diagnosis, Finding
from .source import Source

FORMULA = ('median frequency balancing: weight = median(frequency) / frequency, where the '
           'frequency of a class is its share of the labelled pixels of the images that show it')


class ClassTally:
    """Pixels and images of each class in one split."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self.pixels = np.zeros(len(classes), np.int64)
        self.images = np.zeros(len(classes), np.int64)
        self.labelled = np.zeros(len(classes), np.int64)  # pixels of the images with the class

    def add(self, labels: np.ndarray, counts: np.ndarray, ignore_index: int) -> None:
        """Count one mask: its labels [V], some of which may be equal, and their pixels [V]."""
        counted = (labels >= 0) & (labels < len(self.classes)) & (labels != ignore_index)
        pixels = np.bincount(labels[counted].astype(np.int64), counts[counted],
                             len(self.classes)).astype(np.int64)
        shown = pixels > 0
        self.pixels += pixels
        self.images += shown
        self.labelled[shown] += pixels.sum()

    def absent(self) -> list[str]:
        """Classes without a pixel."""
        return [name for name, pixels in zip(self.classes, self.pixels, strict=True) if not pixels]

    def weights(self) -> list[float] | None:
        """The weight of each class by FORMULA, 1 for absent classes; None without any label."""
        shown = self.pixels > 0
        if not shown.any():
            return None
        frequency = self.pixels[shown] / self.labelled[shown]
        weights = np.ones(len(self.classes))
        weights[shown] = np.median(frequency) / frequency
        return [float(f'{weight:.4g}') for weight in weights]


class ValueTally:
    """The values in the mask files of one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.pixels: Counter[int] = Counter()
        self.masks: Counter[int] = Counter()
        self.lossy: str | None = None

    def add(self, found: Diagnosis) -> None:
        """Count one mask."""
        values = found.values.tolist()
        self.pixels.update(dict(zip(values, found.counts.tolist(), strict=True)))
        self.masks.update(values)
        self.lossy = self.lossy or found.lossy

    def wrong(self) -> list[int]:
        """The values that are neither a class nor ignored."""
        return self.source.wrong_values(np.array(sorted(self.pixels), np.int64)).tolist()

    def remedy(self) -> str:
        """What to do about the values of `wrong`."""
        dataset = self.source.dataset
        if self.lossy is not None:
            return lossy_remedy(self.lossy)
        return label_remedy(sorted(self.pixels), self.wrong(), self.source.num_classes,
                            dataset.ignore_index, dataset.label_map is not None)

    def binary(self) -> Finding | None:
        """A finding where all masks together hold 0 and one value that is no class or ignored."""
        values, source = sorted(self.pixels), self.source
        if not source.looks_binary(values):
            return None
        ignored = source.is_ignored(np.array(values[1:], np.int64))
        return Finding(
            'binary-mask', source.split, source.dataset.ann_dir or source.owner,
            f'the masks hold only 0 and {values[1]}, which '
            f'{"means ignored" if ignored else "is no class"}; {self.remedy()}')
