"""Scores of predictions, by methods of the user's data set if it has its own."""
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from mmcv_replace.runner.dist_utils import from_first_rank
from mmcv_replace.utils.errors import DataError

from .collect import gather_results, reduce_confusion
from .confusion import ConfusionMatrix
from .gathering import Gatherer
from .overrides import is_own_anywhere, labels_of
from .predict import Prediction
from .sinks import Sink


class Score(Sink):
    """Compare predictions with the annotations of a data set, for its scores by `metrics`.

    `gather` gets the samples that are counted, if it wants them, and the counts of all.
    `num_classes`: those of the model, by which a data set without CLASSES is counted.

    The pixels are counted in a `confusion` matrix, which the data set may make. Only if it has its
    own `evaluate` or `pre_eval`, that is not `@standard`, or no known number of classes, `results`
    keeps what `evaluate` needs: (index, results of `pre_eval`) of each prediction, or
    (index, [segmentation map]).
    """

    def __init__(self, dataset: Dataset, metrics: str | Sequence[str] = (),
                 gather: Gatherer | None = None, num_classes: int = 0) -> None:
        if not callable(getattr(dataset, 'evaluate', None)):
            raise DataError(f'{type(getattr(dataset, "dataset", dataset)).__name__} has no method '
                            'evaluate and cannot be scored: name another dataset in data.val and '
                            'data.test (RepeatDataset is for training)')
        self._dataset = dataset
        self._gather = gather
        self._by_pre_eval = is_own_anywhere(dataset, 'pre_eval')
        self.results: list[tuple[int, list[Any]]] = []
        self.confusion: ConfusionMatrix | None = None
        named = len(getattr(dataset, 'CLASSES', None) or ())
        if (self._by_pre_eval or is_own_anywhere(dataset, 'evaluate')
                or not (named or num_classes)):
            return
        make = getattr(dataset, 'make_counts', None)  # a user's own class may lack it
        self.confusion = make(metrics) if make is not None and named else ConfusionMatrix(
            named or num_classes, dataset.ignore_index)
        self._labels = labels_of(dataset)
        self._counted = _sums(self.confusion)

    def add(self, prediction: Prediction) -> None:
        index, seg_map = prediction.index, prediction.seg_map
        if self.confusion is not None:
            label = self._labels(index) if prediction.label is None else prediction.label
            self.confusion.update(seg_map, label, prediction.name, index)
            if self._gather is not None and self._gather.per_sample:
                former, self._counted = self._counted, _sums(self.confusion)
                self._gather.add(prediction, label, self._counted - former)
        elif self._by_pre_eval:
            self.results.append((index, self._pre_eval(seg_map, index)))
        else:
            self.results.append((index, [seg_map]))

    def _pre_eval(self, seg_map: np.ndarray, index: int) -> list[Any]:
        results = self._dataset.pre_eval([seg_map], indices=[index])
        if not isinstance(results, list | tuple):
            raise DataError(f'pre_eval of the dataset returned {type(results).__name__}: return a '
                            'list with what evaluate needs of each prediction')
        return list(results)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Scores of the predictions of all processes, by name; every process has to call this.

        `args` and `kwargs` are for `evaluate` of the data set. If that is the user's own, it is
        called on the first process, with the results of all samples in the order of the data set.
        """
        evaluate = self._dataset.evaluate
        if self.confusion is not None:
            reduce_confusion(self.confusion)
        if self._gather is not None:
            self._gather.finish(self.confusion)
        if self.confusion is not None:
            return _checked(evaluate(self.confusion, *args, **kwargs))
        results = gather_results(self.results)
        scores = None if results is None else _checked(evaluate(results, *args, **kwargs))
        return from_first_rank(scores)


def _sums(counts: ConfusionMatrix) -> np.ndarray:
    """Numbers of pixels [3, C] of each class: right, predicted, annotated."""
    matrix = counts.matrix
    return np.stack([np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)])


def _checked(scores: Any) -> dict[str, Any]:
    """Scores by name, with Python's numbers in place of numpy's and torch's: for log and files."""
    if not isinstance(scores, Mapping):
        raise DataError(f'evaluate of the dataset returned {type(scores).__name__}: return a dict '
                        'of scores by name, such as dict(mIoU=0.5)')
    arrays = np.generic | np.ndarray | torch.Tensor
    return {str(name): value.item() if isinstance(value, arrays) and math.prod(value.shape) == 1
            else value for name, value in scores.items()}
