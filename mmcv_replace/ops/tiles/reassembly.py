"""CARAFE's sums and their gradients, a strip of the map after the other."""
from collections.abc import Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.utils.autocast import no_autocast

from ...utils.trace import apply, is_exported
from ..parts import parts
from .layout import Layout, add_neighbours, band, join, neighbours, read_band, split

# Matrices are made for a strip of the map at a time, of this number of elements, or this share of
# the output's if that is more: launches of kernels are to be few, and temporary tensors small.
ELEMENTS, SHARE = 2**18, 32


class Strip(NamedTuple):
    """Rows of tiles in some images of a batch."""

    images: slice
    first: int
    rows: int


def reassemble(features: Tensor, masks: Tensor, layout: Layout) -> Tensor:
    """See `carafe`; both inputs have one type. Differentiable once."""
    return apply(_Reassemble, features, masks, layout)


class _Reassemble(Function):
    """Holds no more than its arguments for the backward pass, which makes the matrices again."""

    @staticmethod
    def forward(ctx: FunctionCtx, features: Tensor, masks: Tensor, layout: Layout) -> Tensor:
        ctx.save_for_backward(features, masks)
        ctx.layout = layout
        n, channels, height, width = features.shape
        height, width = height * layout.scale, width * layout.scale
        if is_exported():  # for any size, with an unknown number of strips
            whole = Strip(slice(None), 0, layout.tiles(features.shape[2]))
            return _forward(features, masks, whole, layout)[..., :height, :width].contiguous()
        out = features.new_empty(n, channels, height, width)
        for strip in _strips(features, layout):
            _write(out, _forward(features, masks, strip, layout), strip, layout)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        features, masks = ctx.saved_tensors
        layout = ctx.layout
        columns, side = layout.tiles(features.shape[3]), layout.tile * layout.scale
        for_features = features.new_zeros(features.shape) if ctx.needs_input_grad[0] else None
        for_masks = masks.new_zeros(masks.shape) if ctx.needs_input_grad[1] else None
        for strip in _strips(features, layout):
            tiles = split(_read(grad, strip, layout), side)
            if for_features is not None:
                matrix = band(_read(masks, strip, layout), layout)
                share = _multiply(matrix.transpose(1, 2), tiles.transpose(1, 2))
                share = add_neighbours(share, strip.rows, columns, layout.tile)
                _add_features(for_features, _ungroup(share, layout), strip, layout)
            if for_masks is not None:
                around = neighbours(_read_features(features, strip, layout), layout.tile)
                share = _multiply(tiles.transpose(1, 2), around.transpose(1, 2))
                share = read_band(share, strip.rows, columns, layout)
                _write(for_masks, _ungroup(share, layout), strip, layout)
        return for_features, for_masks, None


def _forward(features: Tensor, masks: Tensor, strip: Strip, layout: Layout) -> Tensor:
    """Output of a strip, of whole tiles."""
    columns, side = layout.tiles(features.shape[3]), layout.tile * layout.scale
    around = neighbours(_read_features(features, strip, layout), layout.tile)
    kernels = band(_read(masks, strip, layout), layout)
    tiles = _multiply(around.transpose(1, 2), kernels.transpose(1, 2))
    return _ungroup(join(tiles, strip.rows, columns, side), layout)


def _multiply(a: Tensor, b: Tensor) -> Tensor:
    """Product in the type of the features, as the sum over a neighbourhood is."""
    with no_autocast(a):
        return torch.bmm(a, b)


def _strips(features: Tensor, layout: Layout) -> Iterator[Strip]:
    n, channels, height, width = features.shape
    if 0 in features.shape:
        return
    rows, columns = layout.tiles(height), layout.tiles(width)
    neighbourhood, outputs = (2 * layout.tile) ** 2, (layout.tile * layout.scale) ** 2
    row = columns * max(neighbourhood * channels, outputs * channels,
                        neighbourhood * outputs * layout.groups)
    limit = max(ELEMENTS, n * channels * height * width * layout.scale**2 // SHARE)
    for images in parts(n, row * rows, limit):
        for place in parts(rows, row, limit):
            yield Strip(images, place.start, place.stop - place.start)


def _rows(strip: Strip, unit: int) -> slice:
    return slice(strip.first * unit, (strip.first + strip.rows) * unit)


def _group(maps: Tensor, layout: Layout) -> Tensor:
    return maps.unflatten(1, (layout.groups, -1)).flatten(0, 1)


def _ungroup(maps: Tensor, layout: Layout) -> Tensor:
    return maps.unflatten(0, (-1, layout.groups)).flatten(1, 2)


def _read(maps: Tensor, strip: Strip, layout: Layout) -> Tensor:
    """Maps [N g, C / g, rows, columns] of the output's size in a strip, padded to whole tiles."""
    side = layout.tile * layout.scale
    maps = maps[strip.images, :, _rows(strip, side)]
    below, right = strip.rows * side - maps.shape[2], -maps.shape[3] % side
    maps = F.pad(maps, (0, right, 0, below)) if below or right else maps
    return _group(maps, layout)


def _write(maps: Tensor, part: Tensor, strip: Strip, layout: Layout) -> None:
    """Copy a strip, but for the padding, into maps of the output's size."""
    place = maps[strip.images, :, _rows(strip, layout.tile * layout.scale)]
    place.copy_(part[..., :place.shape[2], :place.shape[3]])


def _visible(strip: Strip, layout: Layout, height: int) -> tuple[slice, int, int]:
    """The rows of the features that a strip depends on, and those of zeros above and below."""
    above = layout.kernel // 2
    begin, end = (x * layout.tile - above for x in (strip.first, strip.first + strip.rows + 1))
    return slice(max(begin, 0), min(end, height)), max(-begin, 0), max(end - height, 0)


def _read_features(features: Tensor, strip: Strip, layout: Layout) -> Tensor:
    """[N g, C / g, rows, columns]: the features that a strip depends on, in whole tiles."""
    left, width = layout.kernel // 2, features.shape[3]
    rows, above, below = _visible(strip, layout, features.shape[2])
    right = (layout.tiles(width) + 1) * layout.tile - left - width
    maps = F.pad(features[strip.images, :, rows], (left, right, above, below))
    return _group(maps, layout)


def _add_features(features: Tensor, part: Tensor, strip: Strip, layout: Layout) -> None:
    """Adjoint of `_read_features`."""
    left = layout.kernel // 2
    rows, above, _ = _visible(strip, layout, features.shape[2])
    place = features[strip.images, :, rows]
    place += part[..., above:above + place.shape[2], left:left + place.shape[3]]
