"""Datasets made of other datasets."""
from collections.abc import Iterable, Sequence
from itertools import chain
from logging import Logger
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset as TorchConcatDataset
from torch.utils.data import Dataset

from mmcv_replace.utils.errors import ConfigError

from . import scoring
from .builder import DATASETS
from .classes import Palette
from .listing import ImgInfo


@DATASETS.register_module()
class ConcatDataset(TorchConcatDataset):
    """Several datasets of the same classes, one after the other.

    Evaluation scores all their images together, as if they were one dataset.
    """

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        super().__init__(datasets)
        self.CLASSES: Sequence[str] | None = self._common('CLASSES')
        self.PALETTE: Palette | None = getattr(self.datasets[0], 'PALETTE', None)
        self.ignore_index: int = self._common('ignore_index')

    def _common(self, name: str) -> Any:
        """The value that the datasets have in common; None where none of them has one."""
        values = [getattr(dataset, name, None) for dataset in self.datasets]
        known = [list(value) if isinstance(value, tuple) else value
                 for value in values if value is not None]
        if any(value != known[0] for value in known):
            raise ConfigError(f'ConcatDataset: its datasets differ in {name}: '
                              f'{", ".join(map(str, known))}; concatenate datasets with the same')
        return next((value for value in values if value is not None), None)

    @property
    def img_infos(self) -> list[ImgInfo]:
        """The samples of all datasets."""
        return list(chain.from_iterable(dataset.img_infos for dataset in self.datasets))

    def get_gt_seg_map(self, idx: int) -> np.ndarray:
        """Class indices [H, W] of a sample."""
        place, inner = self._locate(idx)
        return self.datasets[place].get_gt_seg_map(inner)

    def evaluate(
        self,
        results: Sequence[scoring.Result] | scoring.ConfusionMatrix,
        metric: str | Sequence[str] = 'mIoU',
        logger: Logger | str | None = None,
        **kwargs: Any,
    ) -> dict[str, float]:
        """Score predictions for the images of all datasets together."""
        return scoring.evaluate(self, results, metric, logger, **kwargs)

    def format_results(
        self,
        results: Iterable[scoring.Result],
        out_dir: str,
        indices: Iterable[int] | None = None,
    ) -> list[str]:
        """Let each dataset write its predictions, to `out_dir/0`, `out_dir/1` and so on."""
        files = []
        numbers = range(len(self)) if indices is None else indices
        for index, result in zip(numbers, results, strict=True):
            place, inner = self._locate(index)
            folder = str(Path(out_dir, str(place)))
            files += self.datasets[place].format_results([result], folder, indices=[inner])
        return files

    def _locate(self, idx: int) -> tuple[int, int]:
        """Which dataset holds a sample, and the sample's index there."""
        place = int(np.searchsorted(self.cumulative_sizes, idx, side='right'))
        return place, idx - (self.cumulative_sizes[place - 1] if place else 0)


@DATASETS.register_module()
class RepeatDataset(Dataset):
    """A dataset whose samples come `times` times in an epoch, for small ones."""

    def __init__(self, dataset: Dataset, times: int) -> None:
        if times < 1:
            raise ConfigError(f'RepeatDataset: times={times}: give 1 or more')
        self.dataset = dataset
        self.times = times
        self.CLASSES: Sequence[str] | None = getattr(dataset, 'CLASSES', None)
        self.PALETTE: Palette | None = getattr(dataset, 'PALETTE', None)
        self.ignore_index: int | None = getattr(dataset, 'ignore_index', None)

    def __getitem__(self, idx: int) -> Any:
        return self.dataset[idx % len(self.dataset)]

    def __len__(self) -> int:
        return self.times * len(self.dataset)
