"""Weighted sums of rows of a table: what all operators that sample feature maps consist of."""
from collections.abc import Callable, Iterator

from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from ...utils.trace import apply, is_traced
from ..kernels import run
from ..parts import parts
from ..precision import wide_type

# Elements of a temporary tensor, beyond which the rows are summed in several steps.
LIMIT = 2 ** 22
# Columns of an index, up to which a traced graph has them one by one: compilers for the host make
# vectors of the rows of a table then, and are 5 to 20 times as fast as with a sum over [B, k, D].
FEW = 16


def weighted_rows(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """Sum of rows of a table, as many for each output row, by their weights.

    table: [R, D], index: [B, k] in int32 (faster) or int64, with values in 0 to R - 1, weight:
    [B, k] -> [B, D], out[b] = sum over j of weight[b, j] table[index[b, j]]. Differentiable once
    in table and weight. A row that is not wanted has the weight 0 and any valid index: 0 times an
    infinite value is not a number. The weights are rounded to the type of the table; sums in low
    precision are taken in float32.
    Cost: 2 B k D operations forward and twice that backward; memory: B D forward, and backward
    about 30 B k bytes on the host, where the index is sorted, or 2 LIMIT elements elsewhere. So
    split what has very many rows, and recompute the index in the backward pass. Measured on the
    host, samples of maps are faster so than by F.grid_sample from about 16 channels on.
    """
    return run('weighted_rows', plain_weighted_rows, table, index, weight.to(table.dtype))


def plain_weighted_rows(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """`weighted_rows` by selecting rows, which every device can."""
    return apply(_WeightedRows, table, index, weight)


def as_table(maps: Tensor, groups: int = 1) -> Tensor:
    """Maps [N, C, H, W] -> rows [N H W groups, C / groups], one for each pixel and group."""
    rows = maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1] // groups)
    return rows.contiguous()  # sums of rows that are columns in memory take several times as long


def row_spreader(index: Tensor, weight: Tensor, count: int) -> Callable[[Tensor], Tensor]:
    """What `weighted_rows` does to gradients: a function that adds rows to those of a table.

    index: [B, k] with values in 0 to count - 1, weight: [B, k]. The function makes of rows [B, D]
    a table [count, D]: out[r] = sum of weight[b, j] rows[b] over all (b, j) with index[b, j] = r,
    taken in float32 at least and returned in the type of the rows. It is not differentiable.
    Cost: 2 B k D operations, memory count D; what does not depend on the rows is done once.
    """
    return run('row_spreader', plain_row_spreader, index, weight, count)


def plain_row_spreader(index: Tensor, weight: Tensor, count: int) -> Callable[[Tensor], Tensor]:
    """`row_spreader` by adding at an index, which every device can."""
    return lambda rows: _for_table(rows, index, weight.to(rows.dtype), count).to(rows.dtype)


def _steps(index: Tensor, width: int) -> Iterator[tuple[slice, Tensor]]:
    """Parts of the rows of an index, each with its place.

    A traced graph has one part: compilers do not store what they select, and the graph of an
    export must fit other numbers of rows.
    """
    if is_traced():
        yield slice(None), index
        return
    for place in parts(len(index), index.shape[1] * width, LIMIT):
        yield place, index[place]


def _select(table: Tensor, index: Tensor) -> Tensor:
    """Rows of a table: [R, D], [B, k] -> [B, k, D]."""
    return table.index_select(0, index.reshape(-1)).view(*index.shape, table.shape[1])


class _WeightedRows(Function):
    """Holds no more than its arguments for the backward pass, which selects the rows again."""

    @staticmethod
    def forward(ctx: FunctionCtx, table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(table, index, weight)
        if is_traced():
            return (_by_columns if index.shape[1] <= FEW else _at_once)(table, index, weight)
        out = table.new_empty(index.shape[0], table.shape[1])
        for place, part in _steps(index, table.shape[1]):
            out[place] = _at_once(table, part, weight[place])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, None, Tensor | None]:
        table, index, weight = ctx.saved_tensors
        for_table = for_weight = None
        if ctx.needs_input_grad[0]:
            for_table = _for_table(grad, index, weight, table.shape[0]).to(table.dtype)
        if ctx.needs_input_grad[2]:
            for_weight = _for_weight(grad, index, table)
        return for_table, None, for_weight


def _at_once(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    products = _select(table, index) * weight.unsqueeze(2)
    return products.sum(1, dtype=wide_type(table.dtype)).to(table.dtype)


def _by_columns(table: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    total = table.new_zeros(index.shape[0], table.shape[1], dtype=wide_type(table.dtype))
    for column in range(index.shape[1]):
        picked = table.index_select(0, index[:, column])
        total = total + picked.to(total.dtype) * weight[:, column:column + 1]
    return total.to(table.dtype)


def _for_table(grad: Tensor, index: Tensor, weight: Tensor, rows: int) -> Tensor:
    width = grad.shape[1]
    total = grad.new_zeros(rows, width, dtype=wide_type(grad.dtype))
    for place, part in _steps(index, width):
        share = grad[place].unsqueeze(1).to(total.dtype) * weight[place].unsqueeze(2)
        total.index_add_(0, part.reshape(-1), share.flatten(0, 1))
    return total


def _for_weight(grad: Tensor, index: Tensor, table: Tensor) -> Tensor:
    found = table.new_empty(index.shape)
    for place, part in _steps(index, table.shape[1]):
        products = _select(table, part) * grad[place].unsqueeze(1)
        found[place] = products.sum(2, dtype=wide_type(table.dtype))
    return found
