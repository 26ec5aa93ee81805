"""Largest of the values in each bin of RoIs: RoIPool, and RoIAlign with pool_mode='max'."""
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from ...utils.trace import apply
from ..precision import wide_type
from ..sampling.weighted_rows import weighted_rows
from .chunks import (
    Chunk,
    as_table,
    channel_groups,
    equal_chunks,
    group_width,
    most_elements,
    sorted_chunks,
)
from .samples import Axis, Grid, corners, numbers, positions

# Pixels and weights [k, bins, samples, 1 or 2] of the samples of an axis.
Samples = tuple[Tensor, Tensor]
# Those of the rows and columns of RoIs [k, 5] of a group, and whether bins [k, P or 1, Q or 1] have
# samples at all.
Locate = Callable[[Tensor, Chunk], tuple[Samples, Samples, Tensor]]

LOWEST = -1e4  # of RoIAlign in mmcv


def largest_sample(x: Tensor, rois: Tensor, grid: Grid) -> Tensor:
    """Largest sample in each bin: x [N, C, H, W], rois [K, 5], float32 at least -> [K, C, P, Q].

    The gradient goes to the pixels of the first of the largest. Values of -10000 and less do not
    count, as in mmcv; what is no number is the result.
    """
    locate = partial(_locate, grid, x.shape[2:])
    return apply(Maximum, x, rois, grid.shape, _plan(x, rois, grid), locate, LOWEST, LOWEST)


def _locate(grid: Grid, size: tuple[int, int], some: Tensor,
            chunk: Chunk) -> tuple[Samples, Samples, Tensor]:
    rows, columns = grid.axes(some)
    return (_samples(rows, grid.shape[0], chunk.rows, size[0]),
            _samples(columns, grid.shape[1], chunk.columns, size[1]),
            (rows.samples > 0) & (columns.samples > 0))


def _plan(x: Tensor, rois: Tensor, grid: Grid) -> list[Chunk]:
    if not x.numel():
        return []
    limit, cost = budget(x, rois, grid.shape)
    if grid.ratio > 0:
        return equal_chunks(len(rois), grid.ratio, grid.ratio, cost(grid.ratio, grid.ratio), limit)
    # Of more samples along an axis than these, one is beyond the map.
    sizes = grid.largest(rois, 2 * x.shape[2] + 4, 2 * x.shape[3] + 4)
    return sorted_chunks(sizes, cost, limit, 'sampling_ratio=0 of roi_align')


def budget(x: Tensor, rois: Tensor,
           shape: tuple[int, int]) -> tuple[int, Callable[[int, int], int]]:
    """Elements that a group of RoIs may need, and those of a RoI by its samples."""
    bins, group = shape[0] * shape[1], group_width(x.shape[1])
    limit = 4 * most_elements(x.shape, (len(rois), x.shape[1], bins))
    return limit, lambda rows, columns: bins * (rows * columns * (group + 8) + 8 * group)


def _samples(axis: Axis, bins: int, count: int, size: int) -> Samples:
    """Pixels and weights [K, bins, count, 2] of `count` samples; the last fill the place of others.

    Of more samples than `count` there are those on the map, and one beyond it.
    """
    gap = axis.length / axis.samples.clamp(min=1)
    first = ((-1 - positions(axis, bins, numbers(1, axis.start))) / gap).floor()
    first = torch.where(first == first, first, 0).clamp(min=0)
    first = torch.minimum(first, (axis.samples - count).clamp(min=0))
    number = torch.minimum(first + numbers(count, first), (axis.samples - 1).clamp(min=0))
    return corners(positions(axis, bins, number), size)


def _bags(rois: Tensor, rows: Samples, columns: Samples, height: int,
          width: int) -> tuple[Tensor, Tensor, int]:
    """Bags of pixels and weights [k P Q S, 1 or 4], S samples a bin, row by row, and S."""
    (row, by_row), (column, by_column) = rows, columns
    down = (rois[:, 0].int().view(-1, 1, 1, 1) * height + row) * width
    index = down[:, :, None, :, None, :, None] + column[:, None, :, None, :, None, :]
    weight = by_row[:, :, None, :, None, :, None] * by_column[:, None, :, None, :, None, :]
    bag = row.shape[3] * column.shape[3]
    return index.view(-1, bag), weight.view(-1, bag), row.shape[2] * column.shape[2]


class Maximum(Function):
    """Largest of the samples that `locate` finds and that are above `lowest`.

    A bin without one is `empty`, and has no gradient. For the backward pass it holds the number of
    the largest sample of each bin.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, rois: Tensor, shape: tuple[int, int],
                plan: list[Chunk], locate: Locate, lowest: float, empty: float) -> Tensor:
        ctx.plan, ctx.locate, ctx.shape = plan, locate, x.shape
        channels, height, width = x.shape[1:]
        out = x.new_zeros(rois.shape[0], channels, *shape)
        chosen = out.new_zeros(out.shape, dtype=torch.int32)
        for part in channel_groups(channels) if plan else ():
            table = as_table(x[:, part])
            for chunk in plan:
                some = chunk.take(rois)
                rows, columns, present = locate(some, chunk)
                index, weight, count = _bags(some, rows, columns, height, width)
                values = weighted_rows(table, index, weight).view(-1, count, table.shape[1])
                best, number = values.max(1)
                none = ~present.expand(-1, *shape).reshape(-1, 1) | (best <= lowest)
                out = chunk.put(out, part, best.masked_fill(none, empty))
                number = number.int().masked_fill(none | (best != best), -1)
                chosen = chunk.put(chosen, part, number)
        ctx.save_for_backward(rois, chosen)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        rois, chosen = ctx.saved_tensors
        count, channels, height, width = ctx.shape
        total = grad.new_zeros(ctx.shape)
        for part in channel_groups(channels) if ctx.plan else ():
            group = grad[:, part].shape[1]
            pixels = grad.new_zeros(count * height * width * group,
                                    dtype=wide_type(grad.dtype))
            kind = torch.int32 if len(pixels) < 2 ** 31 else torch.int64
            for chunk in ctx.plan:
                some = chunk.take(rois)
                rows, columns, _ = ctx.locate(some, chunk)
                index, weight, samples = _bags(some, rows, columns, height, width)
                share, number = (as_table(chunk.take(y[:, part])) for y in (grad, chosen))
                share = share.masked_fill(number < 0, 0).flatten().to(pixels.dtype)
                bins = torch.arange(0, len(index), samples, dtype=kind, device=index.device)
                picked = (bins.view(-1, 1) + number.clamp(min=0)).flatten()
                channel = torch.arange(group, dtype=kind, device=index.device)
                channel = channel.expand_as(number).flatten()
                for pixel, by_pixel in zip(index.unbind(1), weight.unbind(1), strict=True):
                    place = pixel.index_select(0, picked).to(kind) * group + channel
                    by_pixel = by_pixel.index_select(0, picked).to(share.dtype)
                    pixels.index_add_(0, place, torch.where(share == 0, 0, share * by_pixel))
            table = pixels.view(count, height, width, group)
            total[:, part] = table.permute(0, 3, 1, 2).to(grad.dtype)
        return total, *[None] * 6
