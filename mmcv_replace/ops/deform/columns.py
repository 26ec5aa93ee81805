"""The columns of a deformable convolution: all samples of the maps that its output depends on."""
import torch
from torch import Tensor

from ..precision import wide_type
from ..sampling.bilinear import bilinear_corners
from ..sampling.weighted_rows import weighted_rows
from .options import DeformOptions


def make_filters(weight: Tensor, options: DeformOptions) -> Tensor:
    """Weight [O, C / g, h, w] -> [g, O / g, h w C / g], in the order of the columns."""
    split = weight.flatten(2).transpose(1, 2)
    return split.reshape(options.groups, len(weight) // options.groups, -1)


def as_weight(filters: Tensor, like: Tensor) -> Tensor:
    """Filters in the layout of the weight: `make_filters` backwards."""
    split = filters.reshape(like.shape[0], -1, like.shape[1])
    return split.transpose(1, 2).reshape(like.shape).to(like.dtype)


def make_columns(table: Tensor, offset: Tensor, mask: Tensor | None, first: int,
                 shape: tuple[int, ...], options: DeformOptions) -> Tensor:
    """All samples for rows of the output, from number `first` on: as many as `offset` has.

    table: of maps of `shape` -> [g, n rows W', h w C / g].
    """
    index, share = _samples(offset, mask, first, shape, options)
    values = weighted_rows(table, index, share)
    values = values.view(-1, options.points, options.groups, shape[1] // options.groups)
    return values.permute(2, 0, 1, 3).flatten(2)


def multiply(filters: Tensor, columns: Tensor, offset: Tensor) -> Tensor:
    """The output [n, O, rows, W'] of its columns; `offset` has its sizes."""
    out = torch.bmm(filters, columns.transpose(1, 2))
    return out.view(-1, offset.shape[0], *offset.shape[2:]).transpose(0, 1)


def _samples(offset: Tensor, mask: Tensor | None, first: int, shape: tuple[int, ...],
             options: DeformOptions) -> tuple[Tensor, Tensor]:
    """Rows of the table, and their weights, both [n rows W' P G, 4], for all samples."""
    images, _, height, width = shape
    groups, points = options.deform_groups, options.points
    exact = wide_type(offset.dtype)
    moved = offset.unflatten(1, (groups, points, 2)).permute(0, 4, 5, 2, 1, 3)
    y, x = (moved.to(exact) + _grid(offset, first, exact, options)).unbind(-1)
    start = torch.arange(images, dtype=torch.int32, device=offset.device) * (height * width)
    group = torch.arange(groups, dtype=torch.int32, device=offset.device)
    first_rows = start.view(-1, 1, 1, 1, 1) * groups + group
    factors = None
    if mask is not None:
        factors = mask.unflatten(1, (groups, points)).permute(0, 3, 4, 2, 1).to(exact)
    index, share = bilinear_corners(y, x, height, width, factors, first_rows, groups)
    return index.reshape(-1, 4), share.reshape(-1, 4)


def _grid(offset: Tensor, first: int, dtype: torch.dtype, options: DeformOptions) -> Tensor:
    """Positions without displacements, [rows, W', P, 1, 2]."""
    axes = []
    for axis, start in ((0, first), (1, 0)):
        places, taps = (torch.arange(low, high, dtype=dtype, device=offset.device) for low, high in
                        ((start, start + offset.shape[2 + axis]), (0, options.kernel[axis])))
        at = places * options.stride[axis] - options.padding[axis]
        axes.append(at.unsqueeze(1) + taps * options.dilation[axis])
    (rows, high), (columns, wide) = (axis.shape for axis in axes)
    y = axes[0].view(rows, 1, high, 1).expand(rows, columns, high, wide)
    x = axes[1].view(1, columns, 1, wide).expand(rows, columns, high, wide)
    return torch.stack([y, x], -1).flatten(2, 3).unsqueeze(3)
