"""Percentage of pixels (or samples) that are predicted correctly."""
import torch
from torch import Tensor, nn

from mmcv_replace.utils.errors import ArgumentError
from mmseg.ops import class_probabilities, is_positive


@torch.no_grad()
def accuracy(pred: Tensor, target: Tensor, topk: int | tuple[int, ...] = 1,
             thresh: float | None = None, ignore_index: int | None = None) -> Tensor | list[Tensor]:
    """Percentage of targets among the `topk` best scores; one tensor for an int, else a list.

    pred: scores [N, C, ...], target: [N, ...]. With `thresh`, a score must also exceed it. For
    C = 1 the scores are logits of class 1, which is predicted where its probability exceeds
    `thresh` (0.3). Targets equal to `ignore_index` are left out; without it they count as wrong.
    The results stay on the device. Raises ArgumentError for a `topk` larger than C.
    """
    ranks = (topk,) if isinstance(topk, int) else tuple(topk)
    largest = max(ranks)
    if largest > pred.size(1):
        raise ArgumentError(f'accuracy: top-{largest} of {pred.size(1)} classes; choose a topk '
                            'that is not larger than the number of classes')
    assert pred.dim() == target.dim() + 1
    assert pred.size(0) == target.size(0)
    if pred.size(1) == 1:
        labels = is_positive(class_probabilities(pred), thresh).unsqueeze(1)
        thresh = None
    elif largest == 1:
        scores, labels = pred.max(dim=1, keepdim=True)
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
    results = [correct[:, :rank].float().sum() * percent for rank in ranks]
    return results[0] if isinstance(topk, int) else results


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
