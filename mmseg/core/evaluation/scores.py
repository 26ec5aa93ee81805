"""From a stream of predictions to the scores of a dataset, by its own methods where it has any."""
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from mmcv_replace.runner.dist_utils import from_first_rank
from mmcv_replace.utils.errors import DataError

from .collect import gather_results, reduce_confusion
from .confusion import ConfusionMatrix
from .overrides import wants_pre_eval, wants_predictions
from .predict import Prediction
from .sinks import score

# What there is to score: counted pixels, or (index, results of that sample) each.
Gathered = ConfusionMatrix | list[tuple[int, list[Any]]]


def gather(predictions: Iterable[Prediction], dataset: Dataset) -> Gathered:
    """What `dataset.evaluate` needs of this process's predictions.

    That is a confusion matrix; for an `evaluate` of the user's all label maps, or with a
    `pre_eval` of the user's what that returns for each.
    """
    if not callable(getattr(dataset, 'evaluate', None)):
        raise DataError(f'{type(getattr(dataset, "dataset", dataset)).__name__} has no method '
                        'evaluate and cannot be scored: name another dataset in data.val and '
                        'data.test (RepeatDataset is for training)')
    if wants_pre_eval(dataset):
        return [(prediction.index, _pre_eval(dataset, prediction)) for prediction in predictions]
    if wants_predictions(dataset):
        return [(prediction.index, [prediction.label_map]) for prediction in predictions]
    return score(predictions, dataset)


def conclude(gathered: Gathered, dataset: Dataset, device: torch.device, *args: Any,
             **kwargs: Any) -> dict[str, Any]:
    """Scores of what all processes gathered, on each of them; every process has to call this.

    Further arguments are those of `dataset.evaluate`. One of the user's is called on the first
    process, with the results of all samples in the order of the dataset.
    """
    if isinstance(gathered, ConfusionMatrix):
        reduce_confusion(gathered, device)
        return _checked(dataset.evaluate(gathered, *args, **kwargs))
    results = gather_results(gathered)
    scores = None if results is None else _checked(dataset.evaluate(results, *args, **kwargs))
    return from_first_rank(scores)


def _pre_eval(dataset: Dataset, prediction: Prediction) -> list[Any]:
    results = dataset.pre_eval([prediction.label_map], indices=[prediction.index])
    if not isinstance(results, list | tuple):
        raise DataError(f'pre_eval of the dataset returned {type(results).__name__}: return a list '
                        'with what evaluate needs of each prediction')
    return list(results)


def _checked(scores: Any) -> dict[str, Any]:
    """Scores by name; numbers of numpy and torch become Python's, which can be logged and saved."""
    if not isinstance(scores, Mapping):
        raise DataError(f'evaluate of the dataset returned {type(scores).__name__}: return a dict '
                        'of scores by name, such as dict(mIoU=0.5)')
    return {str(name): value.item() if _is_scalar(value) else value
            for name, value in scores.items()}


def _is_scalar(value: Any) -> bool:
    return (isinstance(value, np.generic | np.ndarray) and value.size == 1
            or isinstance(value, torch.Tensor) and value.numel() == 1)
