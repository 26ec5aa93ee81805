"""Data sets made of other data sets."""
import bisect
from collections.abc import Iterable, Sequence
from itertools import chain
from logging import Logger
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset as TorchConcatDataset
from torch.utils.data import Dataset

from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.core.evaluation.confusion import ConfusionMatrix
from mmseg.core.evaluation.overrides import (
    LabelGetter,
    is_own_anywhere,
    labels_of,
    standard,
    takes,
)

from .base_wrapper import BaseDatasetWrapper
from .builder import DATASETS
from .listing.file_list import ImgInfo
from .scores.scoring import Result, ScoredDataset, with_indices
from .scores.submission import find_out_dir


@DATASETS.register_module()
class ConcatDataset(BaseDatasetWrapper, ScoredDataset, TorchConcatDataset):
    """Several data sets of the same classes, one after the other.

    Evaluation scores all their images together, as if they were one data set. Where a user's
    `evaluate` is among theirs, each scores its own images: 0_mIoU, 1_mIoU and so on. Raises
    ConfigError where they differ in CLASSES or ignore_index.
    """

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        super().__init__(datasets)
        for name in ('CLASSES', 'ignore_index'):
            self.common(name)

    @property
    def img_infos(self) -> list[ImgInfo]:
        """The samples of all data sets."""
        return list(chain.from_iterable(dataset.img_infos for dataset in self.datasets))

    def get_original_image(self, idx: int) -> np.ndarray:
        """The image [H, W] or [H, W, C] of a sample, as its data set loads it."""
        place, inner = self.get_dataset_idx_and_sample_idx(idx)
        return self.datasets[place].get_original_image(inner)

    @standard
    def get_gt_seg_map(self, idx: int) -> np.ndarray:
        """Class indices [H, W] of a sample."""
        return self.label_getter()(idx)

    def label_getter(self) -> LabelGetter:
        """`get_gt_seg_map` of all samples, with the method that each data set overrides."""
        getters = [labels_of(dataset) for dataset in self.datasets]

        def get(idx: int) -> np.ndarray:
            place, inner = self.get_dataset_idx_and_sample_idx(idx)
            return getters[place](inner)

        return get

    @standard
    def pre_eval(self, preds: Any, indices: Any) -> list[Any]:
        """What a user's `pre_eval` returns for a prediction, else the prediction itself."""
        results = []
        for pred, index in with_indices(preds, indices):
            place, inner = self.get_dataset_idx_and_sample_idx(index)
            dataset = self.datasets[place]
            own = [pred]
            if is_own_anywhere(dataset, 'pre_eval'):
                own = dataset.pre_eval([pred], indices=[inner])
            if len(own) != 1:
                raise DataError(f'ConcatDataset: pre_eval of {type(dataset).__name__} returned '
                                f'{len(own)} results for a prediction: return one')
            results += own
        return results

    @standard
    def evaluate(self, results: Sequence[Any] | ConfusionMatrix,
                 metric: str | Sequence[str] = 'mIoU', logger: Logger | str | None = None,
                 **kwargs: Any) -> dict[str, float]:
        """Scores of all predictions together, or of each data set by itself; see the class."""
        if not is_own_anywhere(self, 'evaluate'):
            return super().evaluate(results, metric, logger, **kwargs)
        if not isinstance(results, Sequence) or len(results) != len(self):
            raise DataError('ConcatDataset: a dataset with an evaluate of its own needs the '
                            f'predictions of all {len(self)} images')
        scores = {}
        for place, (dataset, end) in enumerate(zip(self.datasets, self.cumulative_sizes,
                                                   strict=True)):
            share = results[end - len(dataset):end]
            own = dataset.evaluate(share, metric=metric, logger=logger, **kwargs)
            prefix = f'{place}_' if len(self.datasets) > 1 else ''
            scores |= {f'{prefix}{name}': value for name, value in own.items()}
        return scores

    @standard
    def format_results(self, results: Iterable[Result], out_dir: str | None = None,
                       indices: Iterable[int] | None = None) -> list[str]:
        """Let each data set write its predictions, to `out_dir/0`, `out_dir/1` and so on."""
        if find_out_dir(results, out_dir) is None:
            return []
        files = []
        numbers = range(len(self)) if indices is None else indices
        for index, result in zip(numbers, results, strict=True):
            place, inner = self.get_dataset_idx_and_sample_idx(index)
            folder = str(Path(out_dir, str(place)))
            if not takes(self.datasets[place].format_results, 'indices'):
                raise ConfigError(
                    f'ConcatDataset writes one prediction after the other: format_results of '
                    f'{type(self.datasets[place]).__name__} has to take indices=[...]')
            files += self.datasets[place].format_results([result], folder, indices=[inner])
        return files

    def get_dataset_idx_and_sample_idx(self, indice: int) -> tuple[int, int]:
        """The number of the data set that holds a sample, and the sample's index there.

        `indice` counts from the end where it is negative. Raises ConfigError beyond the samples.
        """
        number = len(self)
        if not -number <= indice < number:
            raise ConfigError(f'ConcatDataset has {number} samples, and none of index {indice}')
        indice %= number
        place = bisect.bisect_right(self.cumulative_sizes, indice)
        return place, indice - (self.cumulative_sizes[place - 1] if place else 0)


@DATASETS.register_module()
class RepeatDataset(BaseDatasetWrapper):
    """A data set whose samples come `times` times in each epoch, to make epochs longer."""

    def __init__(self, dataset: Dataset, times: int) -> None:
        if times < 1:
            raise ConfigError(f'RepeatDataset: times={times}: give 1 or more')
        self.dataset = dataset
        self.times = times

    def __getitem__(self, idx: int) -> Any:
        return self.dataset[idx % len(self.dataset)]

    def __len__(self) -> int:
        return self.times * len(self.dataset)
