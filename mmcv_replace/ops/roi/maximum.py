"""Largest of the samples in each bin of RoIs: RoIPool, and RoIAlign with pool_mode='max'."""
from bisect import bisect_left
from collections.abc import Callable
from operator import neg
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from ...utils.trace import apply, is_exported, is_traced
from ..precision import wide_type
from ..sampling.weighted_rows import as_table, weighted_rows
from .chunks import channel_groups, group_width, sizes_on_host

CACHED = 2 ** 19  # elements of the samples of a group of bins
ALIKE = 0.8  # samples of a bin in those of the bin with the most of its group, at least
# Pixels (numbers of rows of a table) and weights [S, n, 1 or 4] of the samples with the numbers
# [S, 1] in bins, which are given by their fields [n]. A bin repeats its last sample.
Sampler = Callable[[Tensor, tuple[Tensor, ...]], tuple[Tensor, Tensor]]


class Bins(NamedTuple):
    """All M bins of some RoIs."""

    fields: tuple[Tensor, ...]  # what a Sampler needs, each [M]
    counts: Tensor | int  # samples of each, or of all


class Group(NamedTuple):
    """Some bins, and the samples of that with the most of them."""

    bins: slice | Tensor
    samples: int

    def take(self, x: Tensor) -> Tensor:
        """The entries of x: [M, ...] for these bins."""
        return x[self.bins] if isinstance(self.bins, slice) else x.index_select(0, self.bins)

    def put(self, x: Tensor, rows: Tensor) -> Tensor:
        """x: [M, ...] with these entries for the bins, in place."""
        if is_exported():  # all, at once; an ONNX graph may lose what is written in place
            return rows
        if isinstance(self.bins, slice):
            x[self.bins] = rows
        else:
            x.index_copy_(0, self.bins, rows)
        return x


def largest(x: Tensor, rois: Tensor, shape: tuple[int, int], find: Callable[[Tensor], Bins],
            sampler: Sampler, lowest: float, empty: float, user: str) -> Tensor:
    """Largest of the samples of each bin: x [N, C, H, W], rois [K, 5] -> [K, C, P, Q].

    find(rois) makes the bins, row by row for each RoI. What is not above `lowest` counts as that,
    and a bin without samples is `empty`; both have no gradient. What is no number is the result.
    Raises UsageError in an export if bins have different numbers of samples; `user` says why.
    """
    groups = []
    if x.numel() and len(rois):
        groups = _groups(find(rois).counts, len(rois) * shape[0] * shape[1], x.shape[1], user)
    return apply(_Maximum, x, rois, shape, groups, find, sampler, lowest, empty)


def _groups(counts: Tensor | int, total: int, channels: int, user: str) -> list[Group]:
    """Groups of bins with about as many samples.

    The host waits for these numbers, once, unless all bins have the same.
    """
    size = CACHED // group_width(channels)
    if isinstance(counts, int):
        step = total if is_traced() else max(1, size // counts)
        return [Group(slice(start, start + step), counts) for start in range(0, total, step)]
    ordered, order = counts.clamp(min=1).sort(descending=True, stable=True)
    numbers, groups, start = sizes_on_host(ordered, user), [], 0
    while start < total:
        most = numbers[start]
        stop = bisect_left(numbers, -ALIKE * most, start, key=neg)
        stop = min(stop + (stop == start), start + max(1, size // most))
        groups.append(Group(order[start:stop], most))
        start = stop
    return groups


class _Maximum(Function):
    """Holds the number of the first of the largest samples for the backward pass."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, rois: Tensor, shape: tuple[int, int],
                groups: list[Group], find: Callable[[Tensor], Bins], sampler: Sampler,
                lowest: float, empty: float) -> Tensor:
        ctx.groups, ctx.find, ctx.sampler, ctx.shape = groups, find, sampler, x.shape
        out, chosen, bins = x.new_zeros(rois.shape[0], x.shape[1], *shape), [], find(rois)
        small = torch.uint8 if all(group.samples < 2 ** 8 for group in groups) else torch.int32
        for part in channel_groups(x.shape[1]) if groups else ():
            table = as_table(x[:, part])
            largest = table.new_empty(rois.shape[0] * shape[0] * shape[1], table.shape[1])
            places = torch.empty_like(largest, dtype=small)
            for group in groups:
                index, weight = _bags(bins, group, sampler, group.samples)
                values = weighted_rows(table, index.flatten(0, 1), weight.flatten(0, 1))
                values = values.view(*index.shape[:2], -1)
                best, number = _first_largest(values, lowest)
                if isinstance(bins.counts, Tensor):
                    none = group.take(bins.counts).unsqueeze(1) < 1
                    best = best.masked_fill(none, empty)
                    number = number.masked_fill(none, group.samples)
                largest = group.put(largest, best)
                places = group.put(places, number.to(small))
            chosen.append(places)
            values = largest.view(rois.shape[0], -1, table.shape[1]).transpose(1, 2)
            if is_exported():
                return values.reshape(out.shape)
            out[:, part] = values.view_as(out[:, part])
        ctx.save_for_backward(rois, *chosen)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        rois, *chosen = ctx.saved_tensors
        count, channels, height, width = ctx.shape
        total, bins = grad.new_zeros(ctx.shape), ctx.find(rois)
        parts = channel_groups(channels) if ctx.groups else []
        for part, numbers in zip(parts, chosen, strict=True):
            shares, wide = as_table(grad[:, part]), wide_type(grad.dtype)
            table = shares.new_zeros(count * height * width * shares.shape[1], dtype=wide)
            for group in ctx.groups:
                bags = _bags(bins, group, ctx.sampler, group.samples + 1)
                _add_to_chosen(table, bags, group.take(shares).to(wide), group.take(numbers))
            total[:, part] = table.view(count, height, width, -1).permute(0, 3, 1, 2)
        return total, *[None] * 7


def _bags(bins: Bins, group: Group, sampler: Sampler, samples: int) -> tuple[Tensor, Tensor]:
    """Pixels and weights of the samples of a group: those of the numbers 0 to samples - 1."""
    numbers = torch.arange(samples, device=bins.fields[0].device, dtype=bins.fields[0].dtype)
    return sampler(numbers.view(-1, 1), tuple(group.take(field) for field in bins.fields))


def _first_largest(values: Tensor, lowest: float) -> tuple[Tensor, Tensor]:
    """Largest of values [S, n, C] and the number of its first place, or S without one.

    The values are used up. The place comes from products in their type, several times as fast on
    the host as torch's maximum with an index, or as masks.
    """
    count = len(values)
    best = values.amax(0)
    wide = values.to(wide_type(values.dtype))
    ranks = torch.arange(count, 0, -1, device=wide.device, dtype=wide.dtype).view(-1, 1, 1)
    rank = wide.eq_(best).mul_(ranks).amax(0)
    return best.clamp(min=lowest), count - rank * (best > lowest)


def _add_to_chosen(table: Tensor, bags: tuple[Tensor, Tensor], shares: Tensor,
                   numbers: Tensor) -> None:
    """Add shares [n, C] to the pixels of the samples `numbers`, in a table of R rows: [R C].

    bags: [S + 1, n, 1 or 4]; the last of these samples stands for none.
    """
    samples, size, corners = bags[0].shape
    # Some devices compute with short whole numbers alone, or fast with them alone.
    kind = torch.int32 if len(table) < 2 ** 31 else torch.int64
    places = torch.arange(size, dtype=kind, device=table.device).view(-1, 1)
    picked = (numbers.to(kind) * size + places).flatten()
    index, weight = (bag.view(-1, corners).index_select(0, picked) for bag in bags)
    channels = torch.arange(numbers.shape[1], dtype=kind, device=table.device)
    channels = channels.expand_as(numbers).reshape(-1, 1)
    # Not times 0, which would make a number of no infinite gradient.
    shares = torch.where(numbers < samples - 1, shares, 0).reshape(-1, 1)
    index = index.to(kind) * numbers.shape[1] + channels
    table.index_add_(0, index.flatten(), (weight.to(table.dtype) * shares).flatten())
