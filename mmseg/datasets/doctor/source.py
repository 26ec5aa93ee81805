"""What the doctor needs to know of a data set: which files it reads, how, and their labels."""
import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmseg.core.evaluation.labels import remap_labels
from mmseg.core.evaluation.overrides import ALL_LABELS, BY_INDEX, is_own
from mmseg.core.utils import leaf_datasets

from ..custom import CustomDataset
from ..listing.file_list import list_line
from ..pipelines import LoadAnnotations, LoadImageFromFile

# Attributes of a data set in which two sources with the same findings agree.
SETTINGS = ('img_dir', 'ann_dir', 'img_suffix', 'split', 'img_infos', 'CLASSES', 'PALETTE',
            'label_map', 'reduce_zero_label', 'ignore_index', 'mask_form')


@dataclass(frozen=True)
class Source:
    """One data set of a split, and copies of the steps that load its images and masks.

    The step is None where code of the user loads the files: only their existence is checked.
    """

    split: str
    dataset: CustomDataset
    image: LoadImageFromFile | None
    mask: LoadAnnotations | None

    def __len__(self) -> int:
        return len(self.dataset.img_infos)

    @property
    def owner(self) -> str:
        return type(self.dataset).__name__

    @property
    def num_classes(self) -> int:
        """0 where the classes are unknown."""
        return len(self.dataset.CLASSES or ())

    def contents(self) -> list[Any]:
        """All on which the findings depend, except for the split."""
        steps = [step and (step.file_client_args, repr(step)) for step in (self.image, self.mask)]
        return [type(self.dataset), *steps, *(getattr(self.dataset, name) for name in SETTINGS)]

    def image_file(self, index: int) -> str:
        return os.path.join(self.dataset.img_dir, self.dataset.img_infos[index]['filename'])

    def mask_file(self, index: int) -> str | None:
        """None where the dataset has no masks."""
        folder, mask = self.dataset.ann_dir, self.dataset.img_infos[index].get('ann', {})
        return None if folder is None or 'seg_map' not in mask else os.path.join(
            folder, mask['seg_map'])

    def name(self, index: int) -> str:
        """The line of the sample in a list file."""
        return list_line(self.dataset.img_infos[index], self.dataset.img_suffix)

    def is_ignored(self, values: np.ndarray) -> np.ndarray:
        """Which of the `values` [V] in a mask file mean ignored pixels: [V] bool."""
        return self.labels_of(values) == self.dataset.ignore_index

    def labels_of(self, values: np.ndarray) -> np.ndarray:
        """The label that the data set gives to each of the `values` [V] in a mask file."""
        return remap_labels(values, self.dataset.label_map, self.dataset.reduce_zero_label,
                            self.dataset.ignore_index)

    def wrong_values(self, values: np.ndarray) -> np.ndarray:
        """Those of the `values` in a mask file that are neither a class nor ignored."""
        if not self.num_classes:
            return values[:0]
        labels = self.labels_of(values).astype(np.int64)
        inside = (labels >= 0) & (labels < self.num_classes)
        return values[~inside & ~self.is_ignored(values)]

    def looks_binary(self, values: Sequence[int]) -> bool:
        """Whether masks hold 0 and one other value that is no class or ignored, such as 255."""
        if len(values) != 2 or values[0] != 0 or values[1] in (self.dataset.label_map or {}):
            return False
        other = np.array(values[1:], np.int64)
        return bool(self.is_ignored(other)[0]) or bool(self.wrong_values(other).size)


def find_sources(split: str, dataset: Dataset) -> tuple[list[Source], list[str]]:
    """The data sets of files inside `dataset`, and the types of those that have no files."""
    sources: list[Source] = []
    unknown: list[str] = []
    for leaf in leaf_datasets(dataset):
        if isinstance(leaf, CustomDataset) and all('filename' in info for info in leaf.img_infos):
            sources.append(Source(split, leaf, _find_step(leaf, LoadImageFromFile),
                                  _find_mask_step(leaf)))
        else:
            unknown.append(type(leaf).__name__)
    return sources, unknown


def _find_mask_step(dataset: CustomDataset) -> LoadAnnotations | None:
    """What loads the masks: a step in training, methods of the data set in evaluation."""
    if not dataset.test_mode:
        return _find_step(dataset, LoadAnnotations)
    own = any(is_own(dataset, name) for name in (*BY_INDEX, ALL_LABELS))
    return None if own else LoadAnnotations()


def _find_step(dataset: CustomDataset, kind: type) -> Any:
    """The first step of a kind that does not override how the kind loads, or None.

    It is a copy, as a storage that is opened here must not be shared with the training.
    """
    return next((copy.copy(step) for step in dataset.pipeline.transforms
                 if isinstance(step, kind) and type(step).__call__ is kind.__call__), None)
