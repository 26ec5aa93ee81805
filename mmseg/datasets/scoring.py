"""The base of data sets that score predictions, and write them as pictures."""
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from logging import Logger
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.fileio import load_array
from mmcv_replace.utils import path_inside, print_log
from mmcv_replace.utils.errors import ArgumentError, DataError
from mmseg.core.evaluation.confusion import ConfusionMatrix
from mmseg.core.evaluation.metrics import (
    Areas,
    intersect_and_union,
    metrics_from_areas,
    summarize,
)
from mmseg.core.evaluation.overrides import BY_INDEX, labels_of, standard
from mmseg.core.evaluation.table import format_class_table, format_summary
from mmseg.core.utils import write_palette_png

# A label map [H, W], or the .npy file of one.
Result = np.ndarray | str | os.PathLike


class ScoredDataset(Dataset):
    """A data set with masks to compare predictions with.

    A subclass has CLASSES, PALETTE, ignore_index, img_infos and get_gt_seg_map. What it overrides
    of these methods is called instead; its `evaluate` gets all label maps as a list.
    """

    # The values by which a test server of the data set knows classes, where these are not their
    # indices.
    server_labels: Mapping[str, int] = {}

    @standard
    def get_gt_seg_maps(
        self, efficient_test: bool = False
    ) -> list[np.ndarray] | Iterator[np.ndarray]:
        """`get_gt_seg_map` of every sample: a list, or with `efficient_test` one at a time."""
        labels = labels_of(self, BY_INDEX)
        one_by_one = (labels(idx) for idx in range(len(self)))
        return one_by_one if efficient_test else list(one_by_one)

    @standard
    def pre_eval(self, preds: Any, indices: Any) -> list[Any]:
        """All that `evaluate` needs of predictions, or of a single one: their `Areas`."""
        labels = labels_of(self)
        return [intersect_and_union(_load(pred), labels(index), len(self.CLASSES),
                                    self.ignore_index)
                for pred, index in with_indices(preds, indices)]

    @standard
    def evaluate(self, results: Sequence[Result] | ConfusionMatrix | Sequence[Areas],
                 metric: str | Sequence[str] = 'mIoU', logger: Logger | str | None = None,
                 **kwargs: Any) -> dict[str, float]:
        """Log the scores of `results`, in the order of the data set, and return them as fractions.

        Results are label maps, what `pre_eval` returned for them, or the counts of all of them.
        Keys: aAcc, the mean of each score (mIoU, mAcc, ...), and score.class for each class, which
        is NaN for a class without a pixel. A data set without CLASSES names its classes by their
        numbers, as far as label maps and results go. `efficient_test` of older configs has no
        effect.
        """
        kwargs.pop('efficient_test', None)
        if kwargs:
            raise ArgumentError(f'evaluate does not take {", ".join(kwargs)}; it takes metric and '
                                'logger: correct `evaluation` in the config, or --eval-options')
        areas = self._areas(results)
        names = self.CLASSES or tuple(map(str, range(len(areas[0]))))
        scores = metrics_from_areas(*areas, metric)
        summary = summarize(scores)
        print_log('per class results:\n' + format_class_table(names, scores), logger)
        print_log('Summary: ' + format_summary(summary), logger)
        return summary | {f'{name}.{label}': float(value)
                          for name, values in scores.items() if name != 'aAcc'
                          for label, value in zip(names, values, strict=True)}

    def _areas(
        self, results: Sequence[Result | Areas] | ConfusionMatrix
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pixels of each class [C] over all results: right, predicted, annotated."""
        counted = []
        if not isinstance(results, ConfusionMatrix):
            if len(results) != len(self):
                raise DataError(f'{len(results)} predictions for the {len(self)} images of '
                                f'{type(self).__name__}: score all images, in their order')
            confusion = ConfusionMatrix(self._count_classes(results), self.ignore_index)
            labels = labels_of(self)
            for index, (result, info) in enumerate(zip(results, self.img_infos, strict=True)):
                if isinstance(result, tuple):
                    counted.append(result)
                else:
                    confusion.update(_load(result), labels(index), info['filename'])
            results = confusion
        matrix = results.matrix
        hit, pred, label = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
        for both, _, predicted, annotated in counted:
            hit, pred, label = hit + both, pred + predicted, label + annotated
        return hit, pred, label

    def _count_classes(self, results: Sequence[Result | Areas]) -> int:
        """The number of CLASSES; without them of those in results and label maps."""
        if self.CLASSES:
            return len(self.CLASSES)
        labels = labels_of(self)
        highest = 0
        for index, result in enumerate(results):
            if isinstance(result, tuple):
                return len(result[0])
            values = np.concatenate([np.unique(_load(result)), np.unique(labels(index))])
            highest = max(highest, values[values != self.ignore_index].max(initial=0))
        return int(highest) + 1

    @standard
    def format_results(self, results: Iterable[Result], out_dir: str | None = None,
                       indices: Iterable[int] | None = None, to_label_id: bool = True
                       ) -> list[str]:
        """Write label maps as palette PNGs named like their images, and return the files.

        `indices` are those of the images; without them there is a result for each image in order.
        `to_label_id` writes `server_labels`, where all classes have one, instead of indices.
        Without results nothing is written, else ArgumentError is raised where `out_dir` is missing.
        """
        if not check_out_dir(results, out_dir):
            return []
        files = []
        numbers = range(len(self)) if indices is None else indices
        values, palette = self._server_values() if to_label_id else None, self.PALETTE
        if values is not None:
            palette = np.zeros((values.max() + 1, 3), np.uint8)
            palette[values] = self.PALETTE
        for index, result in zip(numbers, results, strict=True):
            name = Path(self.img_infos[index]['filename']).with_suffix('.png')
            path = path_inside(out_dir, name)
            label_map = _load(result)
            write_palette_png(path, label_map if values is None else values[label_map], palette)
            files.append(str(path))
        return files

    def _server_values(self) -> np.ndarray | None:
        """The value to write for each class [C]; None where they are the indices."""
        if not self.CLASSES or not set(self.CLASSES) <= self.server_labels.keys():
            return None
        return np.array([self.server_labels[name] for name in self.CLASSES], np.uint8)


def with_indices(preds: Any, indices: Any) -> Iterator[tuple[Any, int]]:
    """The pairs of predictions and indices that `pre_eval` gets: lists, or one of each."""
    preds = preds if isinstance(preds, list) else [preds]
    indices = indices if isinstance(indices, Iterable) else [indices]
    return zip(preds, indices, strict=True)


def check_out_dir(results: Iterable[Result], out_dir: str | None) -> bool:
    """Whether there is something to write; ArgumentError where it has no place."""
    if isinstance(results, Sequence) and not results:
        return False
    if not out_dir:
        raise ArgumentError('format_results: out_dir is missing, the folder for the label maps')
    return True


def _load(result: Result) -> np.ndarray:
    return load_array(result) if isinstance(result, str | os.PathLike) else result
