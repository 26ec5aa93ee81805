"""3 x 3 convolutions of large dilation d: d x d small ones, each with few multiplications.

Rows i, i + d, i + 2 d, ... (a phase) meet no others. At d = 12, 24 and 36 in a map of 64 rows they
are 6, 3 and 2, and Winograd's algorithm (see winograd.py) computes them in one or two tiles, whose
size is chosen for that number: 8, 5 and 3 products instead of 18, 9 and 6 in each direction. A
phase of one row meets nothing but the middle of the kernel. The relative error (norm) of float32
results is 5e-6 in tiles of 6 rows, and 2e-6 or less in smaller ones.
"""
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from .host_products import products
from .winograd import filter_matrices, parts

_LONGEST = 12  # rows of a phase; the transforms of longer ones cost more than they save
_TILES = (3, 4, 5, 6)
# Images, and channels of the input, computed at a time: they limit the memory for products.
_IMAGES = 4
_CHANNELS = 256
# Transforming a value of a kernel takes as long as so many multiplications in the products.
_KERNEL_COST = 64

Pair = tuple[int, int]


@dataclass(frozen=True)
class _Phases:
    """Phases `begin` to `end` of a dilation, of `length` rows (or columns).

    `spread`: [tiles, p, length], from the rows to the p factors of each tile; `merge`: of that
    shape, whose transpose maps the products to the results; `kernel`: [p, 3].
    """

    begin: int
    end: int
    length: int
    spread: Tensor
    merge: Tensor
    kernel: Tensor

    @property
    def products(self) -> int:
        return (self.end - self.begin) * self.spread.shape[0] * self.spread.shape[1]


def phase_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None, dilation: Pair) -> Tensor:
    """Convolution with stride 1 and zero padding equal to `dilation`, in float32 or float64.

    x: [N, C, H, W], weight: [O, C, 3, 3], bias: [O] -> [N, O, H, W].
    """
    return _PhaseConv.apply(x, weight, bias, dilation)


def phase_share(images: int, size: Pair, dilation: Pair) -> float:
    """Cost divided by that of the plain convolution; inf where phases are too long."""
    if any(-(-pixels // step) > _LONGEST for pixels, step in zip(size, dilation, strict=True)):
        return float('inf')
    cost = _cost(_plan(images, size, dilation), images)
    return cost / (9 * images * size[0] * size[1])


def phase_gradients(grad: Tensor, x: Tensor, weight: Tensor, dilation: Pair,
                    wanted: Sequence[bool]) -> tuple[Tensor | None, ...]:
    """Gradients of x, weight and bias for `grad` [N, O, H, W]; None for those not in `wanted`."""
    grad_x = torch.empty_like(x, memory_format=torch.contiguous_format) if wanted[0] else None
    grad_weight = weight.new_zeros(weight.shape) if wanted[1] else None
    if wanted[0] or wanted[1]:
        for images, place in _places(x, dilation):
            _add_gradients(grad[images], x[images], weight, place,
                           None if grad_x is None else grad_x[images], grad_weight)
    return grad_x, grad_weight, grad.sum((0, 2, 3)) if wanted[2] else None


class _PhaseConv(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None,
                dilation: Pair) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        out = x.new_empty(x.shape[0], weight.shape[0], *x.shape[2:])
        for images, place in _places(x, dilation):
            _convolve(x[images], weight, place, out[images])
        return out if bias is None else out.add_(bias.view(-1, 1, 1))

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        return (*phase_gradients(grad, x, weight, ctx.dilation, ctx.needs_input_grad), None)


class _Place:
    """Phases of rows and of columns, and what the algorithm does with them."""

    def __init__(self, rows: _Phases, columns: _Phases, dilation: Pair, like: Tensor) -> None:
        self.both, self.dilation = (rows, columns), dilation
        self.kernel = _product(rows.kernel, columns.kernel).to(like.dtype)  # [p, 9]
        # (spread, merge) [p, lengths] of each tile
        self.tiles = [(_product(rows.spread[i], columns.spread[j]).to(like.dtype),
                       _product(rows.merge[i], columns.merge[j]).to(like.dtype))
                      for i in range(len(rows.spread)) for j in range(len(columns.spread))]

    def kernels(self, weight: Tensor, buffer: Tensor) -> Tensor:
        """[O, C, 3, 3] -> [p, O, C], written to `buffer`."""
        out, channels = weight.shape[:2]
        return _mm(self.kernel, weight.reshape(out * channels, 9).T, buffer).view(-1, out, channels)

    def kernel_gradient(self, grad: Tensor) -> Tensor:
        """The transpose of `kernels`: [p, O, C] -> [O, C, 3, 3]."""
        _, out, channels = grad.shape
        nine = self.kernel.T @ grad.view(len(grad), -1)
        return nine.view(3, 3, out, channels).permute(2, 3, 0, 1)

    def columns_of(self, x: Tensor) -> int:
        """T, the number of phases in a batch [N, C, H, W]."""
        return len(x) * math.prod(each.end - each.begin for each in self.both)

    def buffers(self, x: Tensor, kernels: int, channels: int) -> tuple[Tensor, Tensor]:
        """Memory for that number of kernels, and for the factors of `channels` channels of x."""
        p = len(self.kernel)
        return x.new_empty(p * kernels), x.new_empty(p * channels * self.columns_of(x))

    def take(self, x: Tensor) -> Tensor:
        """The phases of x: [N, C, H, W] -> [lengths, C * T], T = N * phases; 0 outside."""
        (rows, columns), (n, c) = self.both, x.shape[:2]
        out = x.new_zeros(rows.length, columns.length, c, n, rows.end - rows.begin,
                          columns.end - columns.begin)
        for block, part in self._blocks(out, x):
            block.copy_(part)
        return out.view(rows.length * columns.length, -1)

    def put(self, values: Tensor, x: Tensor) -> None:
        """Write [lengths, C * T] to x, the reverse of `take`."""
        (rows, columns), (n, c) = self.both, x.shape[:2]
        values = values.view(rows.length, columns.length, c, n, rows.end - rows.begin,
                             columns.end - columns.begin)
        for block, part in self._blocks(values, x):
            part.copy_(block)

    def _blocks(self, values: Tensor, x: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Pairs of the same pixels, [C, N, phases of rows, phases of columns] each."""
        (rows, columns), by_channel = self.both, x.transpose(0, 1)
        for i in range(rows.length):
            for j in range(columns.length):
                top = i * self.dilation[0] + rows.begin
                left = j * self.dilation[1] + columns.begin
                height = min(rows.end - rows.begin, x.shape[2] - top)
                width = min(columns.end - columns.begin, x.shape[3] - left)
                if height > 0 and width > 0:
                    yield (values[i, j, :, :, :height, :width],
                           by_channel[:, :, top:top + height, left:left + width])


def _convolve(x: Tensor, weight: Tensor, place: _Place, out: Tensor) -> None:
    """Write the results of `place` to `out`, the sum over groups of input channels."""
    o, channels = len(weight), min(_CHANNELS, weight.shape[1])
    t, buffers = place.columns_of(x), place.buffers(x, o * channels, channels)
    sums = [x.new_zeros(len(spread), o, t) for spread, _ in place.tiles]
    for part in parts(weight.shape[1], _CHANNELS):
        kernels, taken = place.kernels(weight[:, part], buffers[0]), place.take(x[:, part])
        for (spread, _), own in zip(place.tiles, sums, strict=True):
            factors = _mm(spread, taken, buffers[1]).view(len(own), -1, t)
            products(kernels, factors.transpose(1, 2), out=own)
    place.put(sum(merge.T @ own.view(len(own), -1)
                  for (_, merge), own in zip(place.tiles, sums, strict=True)), out)


def _add_gradients(grad: Tensor, x: Tensor, weight: Tensor, place: _Place,
                   grad_x: Tensor | None, grad_weight: Tensor | None) -> None:
    """Write `grad_x` and add to `grad_weight` at `place`: the transposed steps of `_convolve`."""
    o, channels = len(weight), min(_CHANNELS, weight.shape[1])
    t, buffers = place.columns_of(x), place.buffers(x, o * channels, channels)
    taken = place.take(grad)
    outer = [(merge @ taken).view(len(merge), o, t) for _, merge in place.tiles]
    for part in parts(weight.shape[1], _CHANNELS):
        c = part.stop - part.start
        if grad_weight is not None:
            taken, total = place.take(x[:, part]), _view(buffers[0], len(outer[0]), o, c).zero_()
            for (spread, _), own in zip(place.tiles, outer, strict=True):
                products(own, _mm(spread, taken, buffers[1]).view(len(own), c, t), out=total)
            grad_weight[:, part] += place.kernel_gradient(total)
        if grad_x is not None:
            kernels = place.kernels(weight[:, part], buffers[0]).transpose(1, 2)
            total = 0
            for (spread, _), own in zip(place.tiles, outer, strict=True):
                factors = _view(buffers[1], len(own), c, t).zero_()
                products(kernels, own.transpose(1, 2), out=factors)
                total = total + spread.T @ factors.view(len(own), -1)
            place.put(total, grad_x[:, part])


def _mm(a: Tensor, b: Tensor, buffer: Tensor) -> Tensor:
    """a @ b, at the beginning of `buffer`: new memory would take longer than the product."""
    return torch.mm(a, b, out=_view(buffer, a.shape[0], b.shape[1]))


def _view(buffer: Tensor, *shape: int) -> Tensor:
    return buffer[:math.prod(shape)].view(shape)


def _places(x: Tensor, dilation: Pair) -> Iterator[tuple[slice, _Place]]:
    for i in range(0, len(x), _IMAGES):
        images = slice(i, min(i + _IMAGES, len(x)))
        for rows, columns in _plan(images.stop - i, tuple(x.shape[2:]), dilation):
            yield images, _Place(rows, columns, dilation, x)


@lru_cache(maxsize=256)
def _plan(images: int, size: Pair, dilation: Pair) -> list[tuple[_Phases, _Phases]]:
    """Pairs of phases of rows and columns, at the least cost.

    Long and short phases apart have fewer products, but more kernels to transform than all as long
    ones.
    """
    plans = []
    for apart in (False, True):
        rows, columns = (_phases(pixels, step, apart)
                         for pixels, step in zip(size, dilation, strict=True))
        plans.append([(r, c) for r in rows for c in columns])
    return min(plans, key=lambda plan: _cost(plan, images))


def _cost(plan: list[tuple[_Phases, _Phases]], images: int) -> int:
    return sum(images * r.products * c.products
               + _KERNEL_COST * len(r.kernel) * len(c.kernel) for r, c in plan)


def _phases(size: int, dilation: int, apart: bool) -> list[_Phases]:
    """The phases of `size` rows, without those that have no row."""
    length, longer = divmod(size, dilation)
    if longer and not apart:
        bounds = [(0, dilation if length else longer, length + 1)]
    else:
        bounds = [(0, longer, length + 1), (longer, dilation, length)]
    return [_Phases(begin, end, rows, *_filter(rows)) for begin, end, rows in bounds
            if begin < end and rows]


@lru_cache(maxsize=2 * _LONGEST)
def _filter(length: int) -> tuple[Tensor, Tensor, Tensor]:
    """(spread, merge, kernel) of _Phases of that length, in double precision."""
    with torch.inference_mode(False), torch.no_grad():
        if length == 1:
            one = torch.ones(1, 1, 1, dtype=torch.float64)
            return one, one, one.new_tensor([[0, 1, 0]])
        if length == 2:  # Karatsuba: y0 = b (x0 + x1) + (c - b) x1, y1 = b (x0 + x1) + (a - b) x0
            spread, merge, kernel = torch.tensor([
                [[1, 1, 0], [0, 1, 0], [1, 0, 0]], [[1, 1, 0], [1, 0, 0], [0, 1, 0]],
                [[0, 1, 0], [0, -1, 1], [1, -1, 0]]], dtype=torch.float64)
            return spread[None, :, :2], merge[None, :, :2], kernel
        tile = min(_TILES, key=lambda tile: (tile + 2) * -(-length // tile))
        merge, kernel, spread = filter_matrices(tile)
        tiles = -(-length // tile)
        read = spread.new_zeros(tiles, tile + 2, length)
        made = spread.new_zeros(tiles, tile + 2, length)
        for i in range(tiles):
            for k in range(tile + 2):
                if 0 <= i * tile + k - 1 < length:
                    read[i, :, i * tile + k - 1] = spread[:, k]
            for k in range(min(tile, length - i * tile)):
                made[i, :, i * tile + k] = merge[:, k]
        return read, made, kernel


def _product(rows: Tensor, columns: Tensor) -> Tensor:
    """The Kronecker product: [p, m], [q, n] -> [p * q, m * n]."""
    return torch.kron(rows, columns)
