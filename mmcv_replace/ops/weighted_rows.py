"""Weighted sums of rows of a table: what all operators that sample feature maps consist of."""
import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from .kernels import run

# Elements of a temporary tensor, beyond which the columns are gathered in several steps.
LIMIT = 2 ** 24


def weighted_rows(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Sum of rows of a table, as many for each output row, by their weights.

    table: [R, D], index: [B, k] with values in 0 to R - 1, weight: [B, k] -> [B, D],
    out[b] = sum over j of weight[b, j] table[index[b, j]]. Differentiable once in table and weight.
    A row that is not wanted has the weight 0 and any valid index. The weights are rounded to the
    type of the table; sums in low precision are taken in float32.
    Cost: 2 B k D operations, memory B D.
    """
    return run('weighted_rows', plain_weighted_rows, table, index, weight.to(table.dtype))


def plain_weighted_rows(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """`weighted_rows` by selecting rows, which every device can."""
    return _WeightedRows.apply(table, index, weight)


def _steps(index: Tensor, width: int) -> list[tuple[Tensor, slice]]:
    """Columns of the index, a few at a time, flat, with their place."""
    rows, columns = index.shape
    size = max(1, LIMIT // max(1, rows * width))
    places = [slice(start, min(start + size, columns)) for start in range(0, columns, size)]
    return [(index[:, place].reshape(-1), place) for place in places]


def _wide(dtype: torch.dtype) -> torch.dtype:
    """The type for sums over numbers of `dtype`."""
    return dtype if dtype == torch.float64 else torch.float32


class _WeightedRows(Function):
    """Holds no more than its arguments for the backward pass, which selects the rows again."""

    @staticmethod
    def forward(ctx: FunctionCtx, table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(table, index, weight)
        rows, width = len(index), table.shape[1]
        out = table.new_zeros(rows, width, dtype=_wide(table.dtype))
        for flat, place in _steps(index, width):
            picked = table.index_select(0, flat).view(rows, -1, width)
            out += (picked * weight[:, place].unsqueeze(2)).sum(1, dtype=out.dtype)
        return out.to(table.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, None, Tensor | None]:
        table, index, weight = ctx.saved_tensors
        rows, width = len(index), table.shape[1]
        for_table = for_weight = None
        if ctx.needs_input_grad[0]:
            for_table = torch.zeros_like(table, dtype=_wide(table.dtype))
            for flat, place in _steps(index, width):
                share = grad.unsqueeze(1) * weight[:, place].unsqueeze(2)
                share = share.view(-1, width).to(for_table.dtype)
                for_table = for_table.index_add(0, flat, share)
            for_table = for_table.to(table.dtype)
        if ctx.needs_input_grad[2]:
            parts = [(table.index_select(0, flat).view(rows, -1, width) * grad.unsqueeze(1)).sum(2)
                     for flat, _ in _steps(index, width)]
            for_weight = torch.cat(parts, dim=1) if parts else torch.zeros_like(weight)
        return for_table, None, for_weight
