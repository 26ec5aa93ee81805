"""Percentage of pixels (or samples) that are predicted correctly."""
import torch
from torch import Tensor, nn

from mmcv_replace.device import is_asynchronous
from mmcv_replace.utils.errors import ArgumentError
from mmseg.ops import class_probabilities, is_positive


@torch.no_grad()
def accuracy(pred: Tensor, target: Tensor, topk: int | tuple[int, ...] = 1,
             thresh: float | None = None, ignore_index: int | None = None) -> Tensor | list[Tensor]:
    """Percentage [1] of targets among the `topk` best scores; a list of them unless that is an int.

    pred: scores [N, C, ...], target: [N, ...]. With `thresh`, a score must also exceed it. For
    C = 1 the scores are logits of class 1, which is predicted where its probability exceeds
    `thresh` (0.3). Targets equal to `ignore_index` are left out; without it they count as wrong.
    The results stay on the device. Raises ArgumentError for a `topk` that is no number of classes,
    and for shapes that do not belong together.
    """
    ranks = (topk,) if isinstance(topk, int) else topk
    if not isinstance(ranks, list | tuple) or not all(isinstance(rank, int) for rank in ranks):
        raise ArgumentError(f'accuracy: topk={topk!r} must be a whole number, or several')
    largest = max(ranks)
    if largest > pred.size(1):
        raise ArgumentError(f'accuracy: top-{largest} of {pred.size(1)} classes; choose a topk '
                            'that is not larger than the number of classes')
    if pred.dim() != target.dim() + 1 or pred.size(0) != target.size(0):
        raise ArgumentError(f'accuracy: targets {list(target.shape)} do not belong to scores '
                            f'{list(pred.shape)}: they have the same shape without the classes')
    if pred.size(1) == 1:
        correct = is_positive(class_probabilities(pred), thresh).unsqueeze(1) == target.unsqueeze(1)
        thresh = None
    elif largest == 1:
        scores, correct = _best(pred, target.unsqueeze(1))
    else:
        scores, labels = pred.topk(largest, dim=1)
        correct = labels == target.unsqueeze(1)
    if thresh is not None:
        correct = correct & (scores > thresh)
    if ignore_index is None:
        percent = 100.0 / max(target.numel(), 1)
    else:
        valid = target != ignore_index
        correct = correct & valid.unsqueeze(1)
        percent = 100.0 / valid.sum().clamp(min=1)
    results = [(correct[:, :rank].float().sum() * percent).view(1) for rank in ranks]
    return results[0] if isinstance(topk, int) else results


def _best(pred: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The best scores, and whether they are those of the targets: all [N, 1, ...].

    Of equal scores the first class counts.
    """
    if not is_asynchronous(pred.device):
        scores = pred.amax(dim=1, keepdim=True)
        # A host finds numbers of classes ten times as slowly as the scores. They are needed only
        # where scores are equal, or NaN.
        if int((pred == scores).sum()) == scores.numel():
            known = (target >= 0) & (target < pred.size(1))
            own = pred.gather(1, target.long() * known)
            return scores, (own == scores) & known
    scores, labels = pred.max(dim=1, keepdim=True)
    return scores, labels == target


class Accuracy(nn.Module):
    """`accuracy` as a layer."""

    def __init__(self, topk: int | tuple[int, ...] = (1,), thresh: float | None = None,
                 ignore_index: int | None = None) -> None:
        super().__init__()
        self.topk = topk
        self.thresh = thresh
        self.ignore_index = ignore_index

    def forward(self, pred: Tensor, target: Tensor) -> Tensor | list[Tensor]:
        return accuracy(pred, target, self.topk, self.thresh, self.ignore_index)
