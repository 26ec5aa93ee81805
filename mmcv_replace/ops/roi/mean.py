"""Mean of the samples in each bin of RoIs: RoIAlign with pool_mode='avg'."""
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from ...utils.trace import apply
from ..sampling.weighted_rows import as_table, row_spreader, weighted_rows
from .chunks import (
    Chunk,
    MapSum,
    channel_groups,
    equal_chunks,
    group_width,
    most_elements,
    sorted_chunks,
)
from .samples import Grid, merged_pixels, outer, separate_pixels

GROUPS = 16  # of channels: copies of a map and its gradient are so many times smaller


def mean_of_samples(x: Tensor, rois: Tensor, grid: Grid) -> Tensor:
    """Mean in each bin: x [N, C, H, W], rois [K, 5] in float32 or float64 -> [K, C, P, Q].

    A bin is a bag of pixels for `weighted_rows`. Not differentiable in rois.
    """
    return apply(_Mean, x, rois, grid, _plan(x, rois, grid) if x.numel() else [])


def _plan(x: Tensor, rois: Tensor, grid: Grid) -> list[Chunk]:
    (_, channels, height, width), (high, wide) = x.shape, grid.shape
    bins = high * wide
    limit = most_elements(x.shape, (len(rois), channels, bins))
    share = group_width(channels, GROUPS) // 4
    if grid.ratio > 0:
        cost = bins * (4 * grid.ratio ** 2 + share)
        return equal_chunks(len(rois), grid.ratio, grid.ratio, cost, limit)
    return sorted_chunks(grid.largest(rois, height, width),
                         lambda rows, columns: bins * ((rows + 1) * (columns + 1) + share), limit,
                         'sampling_ratio=0 of roi_align')


def _bags(rois: Tensor, grid: Grid, chunk: Chunk, height: int, width: int) -> tuple[Tensor, Tensor]:
    rois = chunk.take(rois)
    pixels = separate_pixels if grid.ratio > 0 else merged_pixels
    rows, columns = grid.axes(rois)
    return outer(rois[:, 0].int(), pixels(rows, grid.shape[0], chunk.rows, height),
                 pixels(columns, grid.shape[1], chunk.columns, width), height, width)


class _Mean(Function):
    """Holds the RoIs alone for the backward pass, which finds the samples again."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, rois: Tensor, grid: Grid, plan: list[Chunk]) -> Tensor:
        ctx.save_for_backward(rois)
        ctx.grid, ctx.plan, ctx.shape = grid, plan, x.shape
        _, channels, height, width = x.shape
        out = x.new_zeros(rois.shape[0], channels, *grid.shape)
        for chunk in plan:
            index, weight = _bags(rois, grid, chunk, height, width)
            for part in channel_groups(channels, GROUPS):
                rows = weighted_rows(as_table(x[:, part]), index, weight)
                out = chunk.put(out, part, rows)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None, None]:
        rois, = ctx.saved_tensors
        count, channels, height, width = ctx.shape
        if not ctx.plan:
            return grad.new_zeros(ctx.shape), None, None, None
        total = MapSum(grad, ctx.shape, len(ctx.plan))
        for chunk in ctx.plan:
            spread = row_spreader(*_bags(rois, ctx.grid, chunk, height, width),
                                  count * height * width)
            for part in channel_groups(channels, GROUPS):
                total.add(spread(as_table(chunk.take(grad[:, part]))), part)
        return total.total.to(grad.dtype), None, None, None
