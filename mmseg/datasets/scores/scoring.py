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
from mmseg.core.evaluation.class_names import names_of
from mmseg.core.evaluation.confusion import ConfusionMatrix
from mmseg.core.evaluation.groups import Groups, check_groups, group_scores
from mmseg.core.evaluation.metrics import (
    Areas,
    check_metrics,
    intersect_and_union,
    metrics_from_areas,
    summarize,
)
from mmseg.core.evaluation.overrides import BY_INDEX, labels_of, standard
from mmseg.core.evaluation.table import format_class_table, format_summary

from .submission import ServerForm, find_out_dir

# A label map [H, W], or the .npy file of one.
Result = np.ndarray | str | os.PathLike


class ScoredDataset(Dataset):
    """A data set with masks to compare predictions with.

    A subclass has CLASSES, PALETTE, ignore_index, img_infos and get_gt_seg_map. What it overrides
    of these methods is called instead; its `evaluate` gets all label maps as a list.
    """

    # The values by which a test server of the data set knows classes, where these are not their
    # indices; whether it wants them in grey PNGs.
    server_labels: Mapping[str, int] = {}
    server_grey: bool = False
    # Metrics of the data set's own benchmark, for which a subclass has `make_counts` and
    # `score_as`; names that these score beside the classes.
    own_metrics: Sequence[str] = ()
    score_groups: Sequence[str] = ()

    @standard
    def check_metrics(self, metrics: str | Sequence[str]) -> tuple[str, ...]:
        """The names of `metrics` as a tuple; ConfigError for one that cannot be computed."""
        return check_metrics(metrics, self.own_metrics)

    @standard
    def make_counts(self, metrics: str | Sequence[str] = ()) -> ConfusionMatrix:
        """What `evaluate` needs of predictions for `metrics`, to be counted one by one."""
        return ConfusionMatrix(len(self.CLASSES), self.ignore_index)

    def score_as(self, metric: str, counts: ConfusionMatrix,
                 logger: Logger | str | None) -> dict[str, float]:
        """Log and return the scores by one of `own_metrics`."""
        raise NotImplementedError

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
                 groups: Groups | None = None, **kwargs: Any) -> dict[str, float]:
        """Log the scores of `results`, in the order of the data set, and return them as fractions.

        Results are label maps, what `pre_eval` returned for them, or the counts of all of them.
        Keys: aAcc, the mean of each score (mIoU, mAcc, ...), and score.class for each class, which
        is NaN for a class without a pixel. A data set without CLASSES names its classes by their
        numbers, as far as label maps and results go. Metrics among `own_metrics` have keys of their
        own. `groups` of classes, dict(vehicles=['car', 'bus']), have scores as mIoU.vehicles, see
        `group_scores`. `efficient_test` of older configs has no effect.
        """
        kwargs.pop('efficient_test', None)
        if kwargs:
            raise ArgumentError(f'evaluate does not take {", ".join(kwargs)}; it takes metric, '
                                'groups and logger: correct `evaluation` in the config, or '
                                '--eval-options')
        names = self.check_metrics(metric)
        check_groups(groups, self.CLASSES, self.score_groups)
        counts, areas = self._count(results, names)
        own = [name for name in names if name in self.own_metrics]
        if own and areas:
            raise ArgumentError(f'metric {own[0]!r} is computed from label maps: what pre_eval '
                                'returns does not tell which classes are mistaken for which')
        scores: dict[str, float] = {}
        for name in own:
            scores |= self.score_as(name, counts, logger)
        others = [name for name in names if name not in own]
        if others or not own:
            scores |= self._score(counts, areas, others, logger)
        if groups:
            scores |= self._score_groups(groups, counts, areas, others or 'mIoU', logger)
        return scores

    def _score(self, counts: ConfusionMatrix, areas: Sequence[Areas], metrics: Sequence[str],
               logger: Logger | str | None) -> dict[str, float]:
        """Scores of the standard metrics."""
        matrix = counts.matrix
        hit, pred, label = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
        for both, _, predicted, annotated in areas:
            hit, pred, label = hit + both, pred + predicted, label + annotated
        names = names_of(self.CLASSES, len(hit))
        scores = metrics_from_areas(hit, pred, label, metrics)
        summary = summarize(scores)
        print_log('per class results:\n' + format_class_table(names, scores), logger)
        print_log('Summary: ' + format_summary(summary), logger)
        return summary | {f'{name}.{label}': float(value)
                          for name, values in scores.items() if name != 'aAcc'
                          for label, value in zip(names, values, strict=True)}

    def _score_groups(self, groups: Groups, counts: ConfusionMatrix, areas: Sequence[Areas],
                      metrics: str | Sequence[str], logger: Logger | str | None
                      ) -> dict[str, float]:
        """Log and return the scores of groups of classes."""
        if areas:
            raise ArgumentError('groups of classes are scored from label maps: what pre_eval '
                                'returns does not tell which classes are mistaken for which')
        scores = group_scores(counts.matrix, groups, self.CLASSES, metrics)
        print_log('groups of classes:\n' + format_class_table([*groups], scores, 'Group'), logger)
        return {f'{name}.{group}': float(value) for name, values in scores.items()
                for group, value in zip(groups, values, strict=True)}

    def _count(self, results: Sequence[Result | Areas] | ConfusionMatrix, metrics: Sequence[str]
               ) -> tuple[ConfusionMatrix, list[Areas]]:
        """The counts of all label maps among the results, and the other results."""
        if isinstance(results, ConfusionMatrix):
            return results, []
        if len(results) != len(self):
            raise DataError(f'{len(results)} predictions for the {len(self)} images of '
                            f'{type(self).__name__}: score all images, in their order')
        counts = self.make_counts(metrics) if self.CLASSES else ConfusionMatrix(
            self._count_classes(results), self.ignore_index)
        areas, labels = [], labels_of(self)
        for index, (result, info) in enumerate(zip(results, self.img_infos, strict=True)):
            if isinstance(result, tuple):
                areas.append(result)
            else:
                counts.update(_load(result), labels(index), info['filename'], index)
        return counts, areas

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
                       indices: Iterable[int] | None = None, to_label_id: bool = True,
                       imgfile_prefix: str | None = None) -> list[str]:
        """Write label maps as PNGs named like their images, and return the files.

        `indices` are those of the images; without them there is a result for each image in order.
        `to_label_id` writes `server_labels`, where all classes have one, instead of indices.
        `imgfile_prefix` is the name of `out_dir` in 0.x. Without results nothing is written, else
        ArgumentError is raised where `out_dir` is missing.
        """
        folder = find_out_dir(results, out_dir, imgfile_prefix)
        if folder is None:
            return []
        files = []
        numbers = range(len(self)) if indices is None else indices
        form = ServerForm(self.CLASSES, self.server_labels if to_label_id else {}, self.PALETTE,
                          self.server_grey)
        for index, result in zip(numbers, results, strict=True):
            name = Path(self.img_infos[index]['filename']).with_suffix('.png')
            path = str(path_inside(folder, name))
            form.write(path, _load(result))
            files.append(path)
        return files


def with_indices(preds: Any, indices: Any) -> Iterator[tuple[Any, int]]:
    """The pairs of predictions and indices that `pre_eval` gets: lists, or one of each."""
    preds = preds if isinstance(preds, list) else [preds]
    indices = indices if isinstance(indices, Iterable) else [indices]
    return zip(preds, indices, strict=True)


def _load(result: Result) -> np.ndarray:
    return load_array(result) if isinstance(result, str | os.PathLike) else result
