"""Losses and accuracy of a head's logits, enlarged to the size of the labels."""
from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from mmseg.core.seg import BasePixelSampler
from mmseg.ops import resize, warn_unaligned

from .accuracy import accuracy
from .chunked_loss import chunked_losses


def compute_losses(
    logits: Tensor,
    label: Tensor,
    criteria: Sequence[nn.Module],
    *,
    ignore_index: int,
    align_corners: bool,
    threshold: float | None,
    sampler: BasePixelSampler | None = None,
    in_chunks: bool = True,
) -> tuple[list[Tensor], Tensor]:
    """Values of the criteria, and the percentage of pixels that are predicted correctly.

    logits: [N, C, h, w], label: [N, 1, H, W]. The criteria are computed `in_chunks` of rows where
    all of them allow it and no `sampler` chooses pixels, and otherwise on the enlarged logits.
    A single logit predicts class 1 where its probability exceeds `threshold`.
    """
    if logits.dtype.itemsize < 4:
        logits = logits.float()
    measure = partial(accuracy, thresh=threshold)
    if in_chunks and sampler is None and all(
            getattr(criterion, 'is_chunkable', False) for criterion in criteria):
        return _in_chunks(logits, label.squeeze(1), criteria, ignore_index, align_corners, measure)
    logits = resize(logits, label.shape[2:], mode='bilinear', align_corners=align_corners)
    weight = None if sampler is None else sampler.sample(logits, label)
    label = label.squeeze(1).long()
    values = [criterion(logits, label, weight=weight, ignore_index=ignore_index)
              for criterion in criteria]
    return values, measure(logits, label)


def _in_chunks(logits: Tensor, label: Tensor, criteria: Sequence[nn.Module], ignore_index: int,
               align_corners: bool, measure: partial) -> tuple[list[Tensor], Tensor]:
    if align_corners:
        warn_unaligned(tuple(logits.shape[2:]), tuple(label.shape[1:]))
    pixels, shares = label.numel(), []
    for criterion in criteria:
        count = criterion.divisor(label, ignore_index)
        shares.append(partial(criterion.chunk, ignore_index=ignore_index,
                              divisor=pixels if count is None else count))
    values, (percent,) = chunked_losses(
        logits, label, align_corners, shares,
        [lambda part, own: measure(part, own) * (own.numel() / pixels)])
    return values, percent
