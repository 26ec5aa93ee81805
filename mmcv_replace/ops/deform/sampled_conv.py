"""Convolutions over samples at displaced positions: the core of both deformable convolutions.

The columns, all samples that the output depends on, are weighted sums of rows of a table with the
pixels of the maps; one product with the weights of the convolution makes the output of them.
"""
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.utils.autocast import no_autocast

from ...utils.trace import is_traced
from ..kernels import run
from ..parts import parts
from ..precision import wide_type
from ..sampling.weighted_rows import as_table
from .columns import as_weight, make_columns, make_filters, multiply
from .options import DeformOptions

# Elements of the columns that are computed at a time: a quarter of those of an image, within these
# limits, if a 16th of them are not more. Fewer would take longer, since each part adds to the
# gradients of whole maps, and more would need much memory beside maps and weights.
LEAST, LIMIT = 2 ** 18, 2 ** 20
FEWEST, MOST = 4, 16


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
    with no_autocast(x):  # which would make one product of two types
        return run('deform_conv2d', plain_sampled_conv2d, x, offset, mask, weight, bias, options)


def plain_sampled_conv2d(x: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor,
                         bias: Tensor | None, options: DeformOptions) -> Tensor:
    """`sampled_conv2d` for tensors of one type, of operations that every device can."""
    if is_traced():  # which decides what to recompute
        table = as_table(x, options.deform_groups)
        columns = make_columns(table, offset, mask, 0, x.shape, options)
        out = multiply(make_filters(weight, options), columns, offset)
    else:
        out = _Recomputed.apply(x, offset, mask, weight, options)
    return out if bias is None else out + bias.view(-1, 1, 1)


def _parts(x: Tensor, offset: Tensor,
           options: DeformOptions) -> Iterator[tuple[slice, list[slice]]]:
    """Images, and strips of rows of their output, whose columns are computed at a time."""
    height, width = offset.shape[2:]
    row = max(1, width * options.points * x.shape[1])
    image = row * height
    limit = max(min(LIMIT, max(LEAST, image // FEWEST)), image // MOST)
    rows = parts(height, row, limit)
    for images in parts(len(x), image, min(limit, options.images * image)):
        yield images, rows


def _strip(tensor: Tensor | None, images: slice, rows: slice) -> Tensor | None:
    return None if tensor is None else tensor[images, :, rows]


class _Recomputed(Function):
    """Holds no more than its arguments for the backward pass, which computes the columns again."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, offset: Tensor, mask: Tensor | None, weight: Tensor,
                options: DeformOptions) -> Tensor:
        ctx.save_for_backward(x, offset, mask, weight)
        ctx.options = options
        filters = make_filters(weight, options)
        out = x.new_empty(len(x), len(weight), *offset.shape[2:])
        for images, strips in _parts(x, offset, options):
            table = as_table(x[images], options.deform_groups)
            for rows in strips:
                moved, factors = (_strip(tensor, images, rows) for tensor in (offset, mask))
                columns = make_columns(table, moved, factors, rows.start, x[images].shape, options)
                out[images, :, rows] = multiply(filters, columns, moved)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, offset, mask, weight = ctx.saved_tensors
        sums = _Gradients((x, offset, mask), weight, ctx.needs_input_grad, ctx.options)
        with no_autocast(x):
            for images, strips in _parts(x, offset, ctx.options):
                sums.add(grad, images, strips)
        return *sums.maps, sums.of_weight(), None


class _Gradients:
    """Gradients of the arguments, to which those of images are added."""

    def __init__(self, maps: tuple[Tensor | None, ...], weight: Tensor, wanted: tuple[bool, ...],
                 options: DeformOptions) -> None:
        self.arguments, self.weight, self.options = maps, weight, options
        self.maps = [torch.empty_like(tensor) if want else None
                     for tensor, want in zip(maps, wanted[:3], strict=True)]
        self.filters = make_filters(weight, options)
        self.for_filters = self._zeros_like(self.filters) if wanted[3] else None

    def of_weight(self) -> Tensor | None:
        return None if self.for_filters is None else as_weight(self.for_filters, self.weight)

    def add(self, grad: Tensor, images: slice, strips: list[slice]) -> None:
        x, offset, mask = self.arguments
        table = as_table(x[images], self.options.deform_groups)
        for_table = None if self.maps[0] is None else self._zeros_like(table)
        for rows in strips:
            parts = (table, _strip(offset, images, rows), _strip(mask, images, rows))
            found = self._of_strip(parts, grad[images, :, rows], rows.start, x[images].shape)
            if for_table is not None:
                for_table += found[0]
            for whole, part in zip(self.maps[1:], found[1:], strict=True):
                if part is not None:
                    whole[images, :, rows] = part
        if for_table is not None:
            rows_first = for_table.view(-1, *x.shape[2:], x.shape[1])
            self.maps[0][images] = rows_first.permute(0, 3, 1, 2).to(x.dtype)

    def _of_strip(self, parts: tuple[Tensor | None, ...], grad: Tensor, first: int,
                  shape: tuple[int, ...]) -> list[Tensor | None]:
        """Gradients of table, offset and mask; that of the filters is added."""
        leaves = [None if part is None else part.detach().requires_grad_(whole is not None)
                  for part, whole in zip(parts, self.maps, strict=True)]
        with torch.enable_grad():
            columns = make_columns(*leaves, first, shape, self.options)
        grad = grad.transpose(0, 1).reshape(*self.filters.shape[:2], -1)
        if self.for_filters is not None:
            self._add_product(grad, columns.detach())
        if not columns.requires_grad:
            return [None] * 3
        wanted = [leaf for leaf in leaves if leaf is not None and leaf.requires_grad]
        found = iter(torch.autograd.grad(
            columns, wanted, torch.bmm(grad.transpose(1, 2), self.filters)))
        return [None if whole is None else next(found) for whole in self.maps]

    def _add_product(self, grad: Tensor, columns: Tensor) -> None:
        if self.for_filters.dtype == grad.dtype:
            self.for_filters.baddbmm_(grad, columns)
        else:
            self.for_filters += torch.bmm(grad, columns)

    def _zeros_like(self, tensor: Tensor) -> Tensor:
        # They become sums of many terms.
        return tensor.new_zeros(tensor.shape, dtype=wide_type(tensor.dtype))
