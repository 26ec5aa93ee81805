"""Scores from a confusion matrix, and mmsegmentation's functions over lists of label maps."""
import os
from collections.abc import Mapping, Sequence

import numpy as np

from mmcv_replace.fileio import load_array
from mmcv_replace.utils.errors import ConfigKeyError, DataError

from .confusion import ConfusionMatrix
from .labels import remap_labels

# Scores per class of each metric, besides the accuracy `Acc`.
CLASS_SCORES = {
    'mIoU': ('IoU',),
    'mDice': ('Dice',),
    'mFscore': ('Fscore', 'Precision', 'Recall'),
}
SegMap = np.ndarray | str | os.PathLike  # class indices [H, W], or the .npy file of them
ClassScores = dict[str, float | np.ndarray]
# Pixels of each class [C]: in prediction and annotation, in either, in the former, in the latter.
Areas = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def metrics_from_confusion(matrix: np.ndarray, metrics: str | Sequence[str] = ('mIoU',),
                           nan_to_num: float | None = None, beta: float = 1.0) -> ClassScores:
    """Overall accuracy `aAcc`, and per class [C] the accuracy `Acc` and the scores of `metrics`.

    matrix: [C, C], row = true class. Scores are fractions. A score without a pixel to count is
    NaN, or `nan_to_num`. `beta` weights recall against precision in `Fscore`.
    """
    hit, pred, label = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    return metrics_from_areas(hit, pred, label, metrics, nan_to_num, beta)


def metrics_from_areas(hit: np.ndarray, pred: np.ndarray, label: np.ndarray,
                       metrics: str | Sequence[str] = ('mIoU',), nan_to_num: float | None = None,
                       beta: float = 1.0) -> ClassScores:
    """`metrics_from_confusion` from numbers of pixels [C] per class.

    hit: correctly predicted; pred: predicted; label: annotated.
    """
    names = check_metrics(metrics)
    hit = hit.astype(np.float64)
    with np.errstate(divide='ignore', invalid='ignore'):
        scores = {
            'aAcc': hit.sum() / label.sum(),
            'Acc': hit / label,
            'IoU': hit / (label + pred - hit),
            'Dice': 2 * hit / (label + pred),
            'Fscore': (1 + beta**2) * hit / (beta**2 * label + pred),
            'Precision': hit / pred,
            'Recall': hit / label,
        }
    wanted = ('aAcc', 'Acc', *(score for name in names for score in CLASS_SCORES[name]))
    if nan_to_num is not None:
        scores = {name: np.nan_to_num(scores[name], nan=nan_to_num) for name in wanted}
    return {'aAcc': float(scores['aAcc'])} | {name: scores[name] for name in wanted[1:]}


def check_metrics(metrics: str | Sequence[str], own: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of `metrics` as a tuple; ConfigKeyError for one that does not exist.

    `own`: names of further metrics, which a data set computes itself.
    """
    names = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    for name in names:
        if name not in CLASS_SCORES and name not in own:
            raise ConfigKeyError(f'metric {name!r} does not exist; choose from '
                                 f'{", ".join((*CLASS_SCORES, *own))}')
    return names


def summarize(scores: Mapping[str, float | np.ndarray]) -> dict[str, float]:
    """`aAcc`, and the mean of each score per class (`mIoU`, `mAcc`, ...) without its NaNs.

    A mean over no class at all is NaN.
    """
    means = {}
    for name, values in scores.items():
        if name != 'aAcc':
            known = values[~np.isnan(values)]
            means[f'm{name}'] = float(known.mean()) if known.size else float('nan')
    # The main score precedes the accuracy, as in the published tables.
    accuracy = means.pop('mAcc')
    return {'aAcc': float(scores['aAcc'])} | means | {'mAcc': accuracy}


def confusion_of(results: Sequence[SegMap], gt_seg_maps: Sequence[np.ndarray], num_classes: int,
                 ignore_index: int, label_map: Mapping[int, int] | None = None,
                 reduce_zero_label: bool = False) -> ConfusionMatrix:
    """Confusion matrix of predictions and annotations [H, W]; for the last two see `remap_labels`.

    Raises DataError if their numbers differ, and what `ConfusionMatrix.update` raises.
    """
    if len(results) != len(gt_seg_maps):
        raise DataError(f'there are {len(results)} predictions for {len(gt_seg_maps)} annotations; '
                        'score all samples of the dataset, in its order')
    confusion = ConfusionMatrix(num_classes, ignore_index)
    for index, (pred, label) in enumerate(zip(results, gt_seg_maps, strict=True)):
        name = f'sample {index}'
        if isinstance(pred, str | os.PathLike):
            name, pred = os.fspath(pred), load_array(pred)
        label = remap_labels(label, label_map, reduce_zero_label, ignore_index)
        confusion.update(pred, label, name)
    return confusion


def intersect_and_union(
    pred_label: SegMap, label: np.ndarray, num_classes: int, ignore_index: int,
    label_map: Mapping[int, int] | None = None, reduce_zero_label: bool = False,
) -> Areas:
    """Pixels of each class [C] in both maps, in either, in the prediction, in the annotation."""
    return total_intersect_and_union([pred_label], [label], num_classes, ignore_index, label_map,
                                     reduce_zero_label)


def total_intersect_and_union(
    results: Sequence[SegMap], gt_seg_maps: Sequence[np.ndarray], num_classes: int,
    ignore_index: int, label_map: Mapping[int, int] | None = None, reduce_zero_label: bool = False,
) -> Areas:
    """`intersect_and_union` of all predictions and annotations together."""
    matrix = confusion_of(results, gt_seg_maps, num_classes, ignore_index, label_map,
                          reduce_zero_label).matrix
    both, pred, annotated = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)
    return both, pred + annotated - both, pred, annotated


def pre_eval_to_metrics(
    pre_eval_results: Sequence[Areas], metrics: str | Sequence[str] = ('mIoU',),
    nan_to_num: float | None = None, beta: float = 1,
) -> ClassScores:
    """`metrics_from_areas` of what `pre_eval` of a data set returned for each prediction."""
    both, _, pred, annotated = (np.sum(parts, axis=0)
                                for parts in zip(*pre_eval_results, strict=True))
    return metrics_from_areas(both, pred, annotated, metrics, nan_to_num, beta)


def eval_metrics(
    results: Sequence[SegMap], gt_seg_maps: Sequence[np.ndarray], num_classes: int,
    ignore_index: int, metrics: str | Sequence[str] = ('mIoU',), nan_to_num: float | None = None,
    label_map: Mapping[int, int] | None = None, reduce_zero_label: bool = False, beta: float = 1.0,
) -> list[float | np.ndarray]:
    """[overall accuracy, accuracy of each class [C], then the scores [C] of each metric].

    For the arguments see `confusion_of` and `metrics_from_confusion`.
    """
    check_metrics(metrics)
    confusion = confusion_of(results, gt_seg_maps, num_classes, ignore_index, label_map,
                             reduce_zero_label)
    return list(metrics_from_confusion(confusion.matrix, metrics, nan_to_num, beta).values())


def mean_iou(
    results: Sequence[SegMap], gt_seg_maps: Sequence[np.ndarray], num_classes: int,
    ignore_index: int, nan_to_num: float | None = None,
    label_map: Mapping[int, int] | None = None, reduce_zero_label: bool = False,
) -> list[float | np.ndarray]:
    """[overall accuracy, then [C] of the classes: Acc, IoU]; see `eval_metrics`."""
    return eval_metrics(results, gt_seg_maps, num_classes, ignore_index, 'mIoU', nan_to_num,
                        label_map, reduce_zero_label)


def mean_dice(
    results: Sequence[SegMap], gt_seg_maps: Sequence[np.ndarray], num_classes: int,
    ignore_index: int, nan_to_num: float | None = None,
    label_map: Mapping[int, int] | None = None, reduce_zero_label: bool = False,
) -> list[float | np.ndarray]:
    """[overall accuracy, then [C] of the classes: Acc, Dice]; see `eval_metrics`."""
    return eval_metrics(results, gt_seg_maps, num_classes, ignore_index, 'mDice', nan_to_num,
                        label_map, reduce_zero_label)


def mean_fscore(
    results: Sequence[SegMap], gt_seg_maps: Sequence[np.ndarray], num_classes: int,
    ignore_index: int, nan_to_num: float | None = None,
    label_map: Mapping[int, int] | None = None, reduce_zero_label: bool = False, beta: float = 1,
) -> list[float | np.ndarray]:
    """[overall accuracy, then [C] of the classes: Acc, Fscore, Precision, Recall]."""
    return eval_metrics(results, gt_seg_maps, num_classes, ignore_index, 'mFscore', nan_to_num,
                        label_map, reduce_zero_label, beta)
