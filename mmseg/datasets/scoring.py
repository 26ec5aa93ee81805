"""Score the predictions of a whole dataset, and write them as pictures."""
import os
from collections.abc import Iterable, Sequence
from logging import Logger
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.fileio import load_array
from mmcv_replace.utils import path_inside, print_log
from mmcv_replace.utils.errors import ArgumentError, DataError
from mmseg.core.evaluation.confusion import ConfusionMatrix
from mmseg.core.evaluation.metrics import intersect_and_union, metrics_from_areas, summarize
from mmseg.core.evaluation.overrides import labels_of
from mmseg.core.evaluation.table import format_class_table, format_summary
from mmseg.core.utils import write_palette_png

# A label map [H, W], or the .npy file of one.
Result = np.ndarray | str | os.PathLike
# Pixels of each class [C] in prediction and annotation, in either, in the former, in the latter.
Areas = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def evaluate(
    dataset: Dataset,
    results: Sequence[Result] | ConfusionMatrix | Sequence[Areas],
    metric: str | Sequence[str] = 'mIoU',
    logger: Logger | str | None = None,
    **kwargs: Any,
) -> dict[str, float]:
    """Log the scores of `results`, in the order of the dataset, and return them as fractions.

    Results are label maps, what `pre_eval` returned for them, or the counts of all of them.
    Keys: aAcc, the mean of each score (mIoU, mAcc, ...), and score.class for each class, which is
    NaN for a class without a pixel. `efficient_test` of older configs has no effect.
    """
    kwargs.pop('efficient_test', None)
    if kwargs:
        raise ArgumentError(f'evaluate does not take {", ".join(kwargs)}; it takes metric and '
                            'logger: correct `evaluation` in the config, or --eval-options')
    if not dataset.CLASSES:
        raise DataError(f'{type(dataset).__name__} has no classes, so nothing can be scored; give '
                        'it `classes` in the config')
    scores = metrics_from_areas(*_areas(dataset, results), metric)
    summary = summarize(scores)
    print_log('per class results:\n' + format_class_table(dataset.CLASSES, scores), logger)
    print_log('Summary: ' + format_summary(summary), logger)
    by_class = {f'{name}.{label}': float(value)
                for name, values in scores.items() if name != 'aAcc'
                for label, value in zip(dataset.CLASSES, values, strict=True)}
    return summary | by_class


def pre_eval(dataset: Dataset, preds: Any, indices: Any) -> list[Areas]:
    """Areas of each prediction, see `intersect_and_union`: all that `evaluate` needs of it."""
    preds = preds if isinstance(preds, list) else [preds]
    indices = indices if isinstance(indices, Iterable) else [indices]
    labels = labels_of(dataset)
    return [intersect_and_union(_load(pred), labels(index), len(dataset.CLASSES),
                                dataset.ignore_index)
            for pred, index in zip(preds, indices, strict=True)]


def _areas(
    dataset: Dataset, results: Sequence[Result | Areas] | ConfusionMatrix
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels of each class [C] over all results: right, predicted, annotated."""
    if not isinstance(results, ConfusionMatrix):
        _check_number(dataset, results)
        confusion = ConfusionMatrix(len(dataset.CLASSES), dataset.ignore_index)
        labels = labels_of(dataset)
        counted = []
        for index, (result, info) in enumerate(zip(results, dataset.img_infos, strict=True)):
            if isinstance(result, tuple):
                counted.append(result)
            else:
                confusion.update(_load(result), labels(index), info['filename'])
        results = confusion
    else:
        counted = []
    matrix = results.matrix
    hit, pred, label = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    for both, _, predicted, annotated in counted:
        hit, pred, label = hit + both, pred + predicted, label + annotated
    return hit, pred, label


def _check_number(dataset: Dataset, results: Sequence[Any]) -> None:
    if len(results) != len(dataset):
        raise DataError(f'{len(results)} predictions for the {len(dataset)} images of '
                        f'{type(dataset).__name__}: score all images, in their order')


def write_pictures(
    dataset: Dataset, results: Iterable[Result], out_dir: str, indices: Iterable[int] | None
) -> list[str]:
    """Write label maps as palette PNGs named like their images, and return the files.

    `indices` are those of the images; without them the results are of all images in order.
    """
    files = []
    numbers = range(len(dataset)) if indices is None else indices
    for index, result in zip(numbers, results, strict=True):
        name = Path(dataset.img_infos[index]['filename']).with_suffix('.png')
        path = path_inside(out_dir, name)
        write_palette_png(path, _load(result), dataset.PALETTE)
        files.append(str(path))
    return files


def _load(result: Result) -> np.ndarray:
    return load_array(result) if isinstance(result, str | os.PathLike) else result
