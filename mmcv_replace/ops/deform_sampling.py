"""Convolutions over samples at displaced positions: the core of both deformable convolutions.

The columns, all samples that the output depends on, are weighted sums of rows of a table with the
pixels of the maps; one product with the weights of the convolution makes the output of them.
"""
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from .bilinear import bilinear_corners
from .deform_options import DeformOptions
from .kernels import run
from .weighted_rows import weighted_rows

# Elements of the columns that are computed at a time. More is no faster, and needs more memory.
LIMIT = 2 ** 22


def sampled_conv2d(x: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor,
                   bias: Tensor | None, options: DeformOptions) -> Tensor:
    """Convolution whose kernel reads the maps beside its grid, at displacements of each place.

    x: [N, C, H, W]; offset: [N, 2 G P, H', W'], for each of G deform groups of channels and each of
    P points of the kernel a displacement (vertical, horizontal) in pixels; mask: [N, G P, H', W'],
    factors of the samples, or None; weight: [O, C / groups, h, w]; bias: [O] or None
    -> [N, O, H', W'] in the type of the offset, to which everything is cast, as in mmcv. Positions
    are float32 at least. Beyond its border a map is zero (`bilinear_corners`).
    """
    x, weight = x.to(offset.dtype), weight.to(offset.dtype)
    mask = None if mask is None else mask.to(offset.dtype)
    bias = None if bias is None else bias.to(offset.dtype)
    with _no_autocast(x):
        return run('deform_conv2d', plain_sampled_conv2d, x, offset, mask, weight, bias, options)


def plain_sampled_conv2d(x: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor,
                         bias: Tensor | None, options: DeformOptions) -> Tensor:
    """`sampled_conv2d` for tensors of one type, of operations that every device can."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing():  # which decides what to recompute
        out = _convolve(_table(x, options), offset, mask, _filters(weight, options), 0, x.shape,
                        options)
    else:
        out = _Recomputed.apply(x, offset, mask, weight, options)
    return out if bias is None else out + bias.view(-1, 1, 1)


def _no_autocast(x: Tensor) -> AbstractContextManager:
    """Types are those of the tensors: autocast would make one product of two types."""
    kind = x.device.type
    if not torch.amp.is_autocast_available(kind):
        return nullcontext()
    return torch.autocast(kind, enabled=False)


def _table(x: Tensor, options: DeformOptions) -> Tensor:
    """Maps [n, C, H, W] -> rows [n H W G, C / G], one for each pixel and deform group."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1] // options.deform_groups)


def _filters(weight: Tensor, options: DeformOptions) -> Tensor:
    """Weight [O, C / g, h, w] -> [g, O / g, h w C / g], in the order of the columns."""
    split = weight.flatten(2).transpose(1, 2)
    return split.reshape(options.groups, len(weight) // options.groups, -1)


def _weight(filters: Tensor, like: Tensor) -> Tensor:
    """Filters in the layout of the weight: `_filters` backwards."""
    split = filters.reshape(like.shape[0], -1, like.shape[1])
    return split.transpose(1, 2).reshape(like.shape).to(like.dtype)


def _convolve(table: Tensor, offset: Tensor, mask: Tensor | None, filters: Tensor, first: int,
              shape: tuple[int, ...], options: DeformOptions) -> Tensor:
    """Rows of the output, from number `first` on, as many as `offset` and `mask` are for.

    table: of maps of `shape` -> [n, O, rows, W'].
    """
    index, share = _samples(offset, mask, first, shape, options)
    images, _, rows, columns = offset.shape
    values = weighted_rows(table, index, share)
    values = values.view(images * rows * columns, options.points, options.groups, -1)
    values = values.permute(2, 0, 1, 3).flatten(2)
    out = torch.bmm(filters, values.transpose(1, 2))
    return out.view(-1, images, rows, columns).transpose(0, 1)


def _samples(offset: Tensor, mask: Tensor | None, first: int, shape: tuple[int, ...],
             options: DeformOptions) -> tuple[Tensor, Tensor]:
    """Rows of the table, and their weights, both [n rows W' P G, 4], for all samples."""
    images, _, height, width = shape
    groups, points = options.deform_groups, options.points
    exact = offset.dtype if offset.dtype == torch.float64 else torch.float32
    moved = offset.unflatten(1, (groups, points, 2)).permute(0, 4, 5, 2, 1, 3)
    y, x = (moved.to(exact) + _grid(offset, first, exact, options)).unbind(-1)
    index, share = bilinear_corners(y, x, height, width)
    numbers = torch.arange(images * groups, device=offset.device).view(images, 1, 1, 1, groups, 1)
    image, group = numbers // groups, numbers % groups
    index = (image * (height * width) + index) * groups + group
    if mask is not None:
        factors = mask.unflatten(1, (groups, points)).permute(0, 3, 4, 2, 1)
        share = share * factors.to(exact).unsqueeze(-1)
    return index.reshape(-1, 4), share.reshape(-1, 4)


def _grid(offset: Tensor, first: int, dtype: torch.dtype, options: DeformOptions) -> Tensor:
    """Positions without displacements, [rows, W', P, 1, 2]."""
    axes = []
    for axis, start in ((0, first), (1, 0)):
        places = torch.arange(start, start + offset.shape[2 + axis], device=offset.device)
        taps = torch.arange(options.kernel[axis], device=offset.device)
        at = places * options.stride[axis] - options.padding[axis]
        axes.append(at.unsqueeze(1) + taps * options.dilation[axis])
    (rows, high), (columns, wide) = (axis.shape for axis in axes)
    y = axes[0].view(rows, 1, high, 1).expand(rows, columns, high, wide)
    x = axes[1].view(1, columns, 1, wide).expand(rows, columns, high, wide)
    return torch.stack([y, x], -1).flatten(2, 3).unsqueeze(3).to(dtype)


def _parts(x: Tensor, offset: Tensor, options: DeformOptions) -> Iterator[tuple[slice, list[slice]]]:
    """Images, and rows of their output, whose columns are computed at a time."""
    height, width = offset.shape[2:]
    row = max(1, width * options.points * x.shape[1])
    images = max(1, min(options.images, LIMIT // (row * height)))
    strips = -(-height // max(1, LIMIT // row))
    step = -(-height // strips)
    rows = [slice(start, start + step) for start in range(0, height, step)]
    for start in range(0, len(x), images):
        yield slice(start, start + images), rows


class _Recomputed(Function):
    """Holds no more than its arguments for the backward pass, which computes the columns again."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor,
                options: DeformOptions) -> Tensor:
        ctx.save_for_backward(x, offset, mask, weight)
        ctx.options = options
        filters = _filters(weight, options)
        out = x.new_empty(len(x), len(weight), *offset.shape[2:])
        for images, strips in _parts(x, offset, options):
            table = _table(x[images], options)
            for rows in strips:
                factors = None if mask is None else mask[images, :, rows]
                out[images, :, rows] = _convolve(
                    table, offset[images, :, rows], factors, filters, rows.start, x[images].shape,
                    options)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, offset, mask, weight = ctx.saved_tensors
        sums = _Gradients(x, offset, mask, weight, ctx.needs_input_grad, ctx.options)
        with _no_autocast(x):
            for images, strips in _parts(x, offset, ctx.options):
                sums.add(grad, images, strips)
        return *sums.results(), None


class _Gradients:
    """Gradients of the arguments, to which parts are added."""

    def __init__(self, x: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor,
                 wanted: tuple[bool, ...], options: DeformOptions) -> None:
        self.options, self.weight = options, weight
        self.x, self.offset, self.mask = x, offset, mask
        self.filters = _filters(weight, options).detach()
        # Sums of many terms, in float32 at least.
        self.wide = torch.promote_types(x.dtype, torch.float32)
        for_filters = torch.zeros_like(self.filters, dtype=self.wide)
        wholes = (x, offset, mask, for_filters)
        self.found = [torch.empty_like(whole) if want and whole is not for_filters else
                      whole if want else None for whole, want in zip(wholes, wanted, strict=False)]

    def results(self) -> list[Tensor | None]:
        *maps, filters = self.found
        return [*maps, None if filters is None else _weight(filters, self.weight)]

    def add(self, grad: Tensor, images: slice, strips: list[slice]) -> None:
        """Gradients of some images, a strip of rows at a time."""
        x = self.x[images]
        table = _table(x, self.options)
        for_table = torch.zeros_like(table, dtype=self.wide)
        for rows in strips:
            parts = [table, self.offset[images, :, rows],
                     None if self.mask is None else self.mask[images, :, rows], self.filters]
            found = iter(self._of_strip(parts, grad[images, :, rows], rows.start, x.shape))
            shares = [None if whole is None else next(found) for whole in self.found]
            if shares[0] is not None:
                for_table += shares[0]
            for whole, share in zip(self.found[1:3], shares[1:3], strict=True):
                if share is not None:
                    whole[images, :, rows] = share
            if shares[3] is not None:
                self.found[3] += shares[3]
        if self.found[0] is not None:
            maps = for_table.view(len(x), *x.shape[2:], x.shape[1])
            self.found[0][images] = maps.permute(0, 3, 1, 2).to(x.dtype)

    def _of_strip(self, parts: list[Tensor | None], grad: Tensor, first: int,
                  shape: tuple[int, ...]) -> tuple[Tensor, ...]:
        leaves = [None if part is None else part.detach().requires_grad_(whole is not None)
                  for part, whole in zip(parts, self.found, strict=True)]
        with torch.enable_grad():
            out = _convolve(*leaves, first, shape, self.options)
        return torch.autograd.grad(out, [leaf for leaf, whole in zip(
            leaves, self.found, strict=True) if whole is not None], grad)
