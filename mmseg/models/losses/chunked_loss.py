"""Pixel losses at the size of the labels, computed in chunks of rows to save memory."""
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.device import is_asynchronous
from mmseg.ops import resize_matrices

# Bytes of the enlarged logits of a chunk: what fits into a host's caches, and enough to keep an
# accelerator busy.
HOST_BYTES = 8 * 2**20
DEVICE_BYTES = 128 * 2**20

# (logits [N, C, rows, W], labels [N, rows, W]) -> share of these rows in a loss, a scalar, or in a
# measure, [1].
Criterion = Callable[[Tensor, Tensor], Tensor]


def chunked_losses(logits: Tensor, label: Tensor, align_corners: bool,
                   criteria: Sequence[Criterion], measure: Criterion
                   ) -> tuple[list[Tensor], Tensor]:
    """Sums of `criteria` and of `measure` over chunks of rows, after bilinear enlargement.

    logits: [N, C, h, w], label: [N, H, W]. The gradient of each criterion is computed together
    with its value and kept at the size of `logits`; the measure has none.
    """
    *values, measured = _ChunkedLosses.apply(logits, label, align_corners, criteria, measure)
    return values, measured


class _ChunkedLosses(Function):
    """The values as a function of the logits, whose gradients are computed in `forward` already."""

    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, label: Tensor, align_corners: bool,
                criteria: Sequence[Criterion], measure: Criterion) -> tuple[Tensor, ...]:
        wanted = ctx.needs_input_grad[0]
        grads = [logits.new_zeros(logits.shape) for _ in criteria] if wanted else []
        values = [logits.new_zeros(()) for _ in criteria]
        measured = logits.new_zeros(1, dtype=torch.float32)
        enlarge = _enlarger(logits, label.shape[1:], align_corners)
        with torch.autocast(logits.device.type, enabled=False):
            for begin, end in _chunks(logits, label):
                band = _source_rows(logits.shape[2], label.shape[1], begin, end, align_corners)
                with torch.set_grad_enabled(wanted):
                    source = logits[:, :, band].detach().contiguous().requires_grad_(wanted)
                    part, own = enlarge(source, begin, end, band), label[:, begin:end].long()
                    losses = [criterion(part, own) for criterion in criteria]
                for i, loss in enumerate(losses):
                    values[i] += loss.detach()
                    if wanted:
                        more = i + 1 < len(losses)
                        grads[i][:, :, band] += torch.autograd.grad(
                            loss, source, retain_graph=more)[0]
                measured += measure(part.detach(), own)
        ctx.save_for_backward(*grads)
        ctx.mark_non_differentiable(measured)
        return *values, measured

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, *outer: Tensor) -> tuple[Tensor | None, ...]:
        grads = ctx.saved_tensors
        total = grads[0] * outer[0]
        for grad, factor in zip(grads[1:], outer[1:], strict=False):
            total += grad * factor
        return total, None, None, None, None


def _enlarger(like: Tensor, size: tuple[int, int], align_corners: bool
              ) -> Callable[[Tensor, int, int, slice], Tensor]:
    """Function of (x, begin, end, band): these rows of a map, bilinearly enlarged to `size`.

    x: the rows `band` of the map, [N, C, band, w], from `_source_rows`.
    """
    if like.shape[2:] == size:
        return lambda x, begin, end, band: x
    rows, columns = resize_matrices(like, size, align_corners)
    # The few rows of the band first grow in width, which takes a fraction of the multiplications.
    return lambda x, begin, end, band: rows[begin:end, band] @ (x @ columns.T)


def _source_rows(source: int, target: int, begin: int, end: int, align_corners: bool) -> slice:
    """The rows, of `source`, that the rows `begin` to `end` of `target` are interpolated from."""
    if source == target:
        return slice(begin, end)
    # Whole numbers alone: the position of a row is a fraction, rounded down.
    if align_corners:
        first, last = (row * (source - 1) // max(target - 1, 1) for row in (begin, end - 1))
    else:
        first, last = (((2 * row + 1) * source - target) // (2 * target)
                       for row in (begin, end - 1))
    # One row more on each side, where a position in floating point falls upon another row.
    return slice(max(first - 1, 0), min(last + 3, source))


def _chunks(logits: Tensor, label: Tensor) -> Iterator[tuple[int, int]]:
    """Ranges (begin, end) of rows whose enlarged logits take about HOST_BYTES or DEVICE_BYTES."""
    images, height, width = label.shape
    limit = DEVICE_BYTES if is_asynchronous(logits.device) else HOST_BYTES
    row = images * logits.shape[1] * width * logits.element_size()
    count = max(1, min(height, -(-height * row // limit)))
    edges = [height * i // count for i in range(count + 1)]
    yield from zip(edges[:-1], edges[1:], strict=True)
