"""3 x 3 convolutions with a quarter of the multiplications (Winograd's minimal filtering).

Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016, arXiv:1509.09308:
F(4 x 4, 3 x 3). A tile of 4 results of a one-dimensional filter of 3 taps comes from 6 products,
y = A.T @ ((G @ w) * (B @ x)); in two dimensions, 36 products instead of 144. The steps before and
after the products are linear; the Kronecker product of those of both directions makes each one
product of matrices, whose columns are the channels of all tiles. Dilation, padding and tiles that
the border cuts off only decide which pixels a tile takes. The relative error (norm) of float32
results is about 2e-6; it is 2e-7 for a plain convolution.
"""
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from .host_products import products

# The points, besides infinity, at which the algorithm evaluates polynomials. They are chosen for
# small rounding errors; those of 0, 1, -1, 2, -2 are twice as large. A tile of m takes m + 1.
_POINTS = (0.0, 1.0, -1.0, 2.0, -0.5, -2.0, 0.5)
_TILE, _TAPS = 4, 3
_PRODUCTS = _TILE + _TAPS - 1
# Channels computed at a time: of the input (half of them for few tiles, beside which the kernels
# would take most of the memory), and of the results.
_CHANNELS = 512
_RESULTS = 1024
# Tiles of a place, and places that share the kernels. More tiles would leave the caches.
_TILES = 512
_PLACES_AT_ONCE = 2

Pair = tuple[int, int]


@dataclass(frozen=True)
class _Place:
    """Tiles of some images, in some groups of rows; a group has 4 * dilation rows (columns).

    `groups`: numbers of groups of rows and of columns. A group has `dilation` tiles in each
    direction, whose pixels are `dilation` apart.
    """

    images: slice
    top: int  # the first row
    groups: Pair
    dilation: Pair

    @property
    def tiles(self) -> int:
        """Number of tiles."""
        images = self.images.stop - self.images.start
        return images * math.prod(self.groups) * math.prod(self.dilation)

    def take(self, x: Tensor, pixels: int) -> Tensor:
        """The tiles' pixels: [N, C, H, W] -> [pixels ** 2, tiles, C], 0 outside the map.

        `pixels` of a tile in each direction: 4 for those that it has alone, 6 with one more on both
        sides.
        """
        x, (down, across), before = x[self.images], self.dilation, (pixels - _TILE) // 2
        n, c, height, width = x.shape
        top = self.top - before * down
        padded = x.new_zeros(n, (_TILE * self.groups[0] + 2 * before) * down,
                             (_TILE * self.groups[1] + 2 * before) * across, c)
        first, last = max(0, top), min(height, top + padded.shape[1])
        padded[:, first - top:last - top, before * across:before * across + width] = (
            _channels_last(x[:, :, first:last]))
        image, row, column, _ = padded.stride()
        # Tiles overlap. Those of a group are neighbours, whose pixels lie in order. Where no more
        # than one tile fits into the width, reshape needs no copy, but products do.
        return padded.as_strided(
            (pixels, pixels, n, self.groups[0], down, self.groups[1], across * c),
            (down * row, across * column, image, _TILE * down * row, row,
             _TILE * across * column, 1)).reshape(pixels ** 2, -1, c).contiguous()

    def put(self, values: Tensor, out: Tensor) -> None:
        """Write the results of the tiles, [16, tiles, O], to out [N, O, H, W]."""
        out, (down, across) = out[self.images], self.dilation
        n, o, height, width = out.shape
        rows = values.view(_TILE, _TILE, n, self.groups[0], down, self.groups[1], across, o)
        rows = rows.permute(2, 3, 0, 4, 5, 1, 6, 7).reshape(
            n, _TILE * self.groups[0] * down, _TILE * self.groups[1] * across, o)
        bottom = min(height, self.top + rows.shape[1])
        for image, target in zip(rows[:, :bottom - self.top, :width], out, strict=True):
            target[:, self.top:bottom].view(o, -1).copy_(image.reshape(-1, o).T)


def winograd_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None,
                    dilation: Pair = (1, 1)) -> Tensor:
    """Convolution with stride 1 and zero padding equal to `dilation`, in float32 or float64.

    x: [N, C, H, W], weight: [O, C, 3, 3], bias: [O] -> [N, O, H, W], in the memory format of x.
    """
    return _Winograd.apply(x, weight, bias, dilation)


def share_of_products(size: Pair, dilation: Pair) -> float:
    """Number of multiplications in the products, divided by that of the plain convolution."""
    share = 1.0
    for pixels, step in zip(size, dilation, strict=True):
        share *= _PRODUCTS * step * -(-pixels // (_TILE * step)) / (_TAPS * pixels)
    return share


def winograd_gradients(grad: Tensor, x: Tensor, weight: Tensor, dilation: Pair,
                       wanted: Sequence[bool]) -> tuple[Tensor | None, ...]:
    """Gradients of x, weight and bias for `grad` [N, O, H, W]; None for those not in `wanted`."""
    # That of x is a convolution, too, with the kernels turned round.
    return (_convolve(grad, weight.flip(2, 3).transpose(0, 1), dilation) if wanted[0] else None,
            _weight_gradient(grad, x, dilation) if wanted[1] else None,
            grad.sum((0, 2, 3)) if wanted[2] else None)


class _Winograd(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None,
                dilation: Pair) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        out = _convolve(x, weight, dilation)
        return out if bias is None else out.add_(bias.view(-1, 1, 1))

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        return (*winograd_gradients(grad, x, weight, ctx.dilation, ctx.needs_input_grad), None)


def _convolve(x: Tensor, weight: Tensor, dilation: Pair) -> Tensor:
    last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    out = torch.empty(len(x), len(weight), *x.shape[2:], dtype=x.dtype, device=x.device,
                      memory_format=torch.channels_last if last else torch.contiguous_format)
    places = _places(x, dilation)
    for i in range(0, len(places), _PLACES_AT_ONCE):
        for results in parts(len(weight), _RESULTS):
            _write(x, weight[results], places[i:i + _PLACES_AT_ONCE], out[:, results])
    return out


def _write(x: Tensor, weight: Tensor, places: Sequence[_Place], out: Tensor) -> None:
    """Write the results at `places` to `out`, the sum over groups of input channels."""
    sums: list[Tensor | None] = [None] * len(places)
    for part in _channels(weight.shape[1], places):
        # Before the kernels: what they are made of is freed by then.
        factors = [_factors(x[:, part], place) for place in places]
        kernels = _kernels(weight[:, part])
        sums = [products(each, kernels, out=own)
                for each, own in zip(factors, sums, strict=True)]
    for place, own in zip(places, sums, strict=True):
        place.put(_apply(_merge_matrix(own.dtype).T, own), out)


def _weight_gradient(grad: Tensor, x: Tensor, dilation: Pair) -> Tensor:
    """[N, O, H, W], [N, C, H, W] -> [O, C, 3, 3]: the transposed steps of `_write`."""
    o, c = grad.shape[1], x.shape[1]
    nine = x.new_zeros(_TAPS ** 2, o, c)
    for place in _places(x, dilation):
        for results in parts(o, _RESULTS):
            outer = _apply(_merge_matrix(grad.dtype),
                           _turned(place.take(grad[:, results], _TILE)))
            for part in _channels(c, [place]):
                factors = _factors(x[:, part], place)
                nine[:, results, part] += _apply(
                    _kernel_matrix(x.dtype).T, products(outer, factors.transpose(1, 2)))
    return nine.view(_TAPS ** 2, -1).T.contiguous().view(o, c, _TAPS, _TAPS)


def _places(x: Tensor, dilation: Pair) -> list[_Place]:
    """All tiles of a batch, in places of about _TILES."""
    rows, columns = (-(-pixels // (_TILE * step))
                     for pixels, step in zip(x.shape[2:], dilation, strict=True))
    group = dilation[0] * columns * dilation[1]  # tiles
    images = max(1, _TILES // (rows * group))
    height = rows if images > 1 else max(1, _TILES // group)
    return [_Place(slice(i, min(i + images, len(x))), top * _TILE * dilation[0],
                   (min(height, rows - top), columns), dilation)
            for i in range(0, len(x), images) for top in range(0, rows, height)]


def _channels(number: int, places: Sequence[_Place]) -> list[slice]:
    """Channels of the input in parts that are computed at a time."""
    few = sum(place.tiles for place in places) <= _TILES // 2
    return parts(number, _CHANNELS // 2 if few else _CHANNELS)


def _factors(x: Tensor, place: _Place) -> Tensor:
    """What the kernels are multiplied by: [N, C, H, W] -> [36, tiles, C]."""
    return _apply(_spread_matrix(x.dtype), place.take(x, _PRODUCTS))


def _apply(matrix: Tensor, x: Tensor) -> Tensor:
    """[M, K], [K, tiles, C] -> [M, tiles, C]."""
    return products(matrix[None], x.view(1, len(x), -1).mT).view(len(matrix), *x.shape[1:])


# torch transposes single matrices in blocks, which is several times as fast as many at once.
def _turned(x: Tensor) -> Tensor:
    """[B, M, K] -> [B, K, M], without gaps."""
    out = x.new_empty(x.shape[0], x.shape[2], x.shape[1])
    for source, target in zip(x, out, strict=True):
        target.copy_(source.T)
    return out


def _channels_last(x: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, H, W, C], without gaps."""
    n, c, height, width = x.shape
    return _turned(x.reshape(n, c, -1)).view(n, height, width, c)


def parts(channels: int, most: int) -> list[slice]:
    """Slices of at most `most` channels each."""
    return [slice(i, min(i + most, channels)) for i in range(0, channels, most)]


def _kernels(weight: Tensor) -> Tensor:
    """Transformed weights: [O, C, 3, 3] -> [36, O, C]."""
    nine = weight.reshape(1, -1, _TAPS * _TAPS)
    return products(_kernel_matrix(weight.dtype)[None], nine).view(-1, *weight.shape[:2])


# The matrices of one direction are squared, for both.
@lru_cache(maxsize=8)
def _kernel_matrix(dtype: torch.dtype) -> Tensor:
    """[36, 9]"""
    return _squared(1, dtype)


@lru_cache(maxsize=8)
def _spread_matrix(dtype: torch.dtype) -> Tensor:
    """[36, 36]"""
    return _squared(2, dtype)


@lru_cache(maxsize=8)
def _merge_matrix(dtype: torch.dtype) -> Tensor:
    """[36, 16], whose transpose maps the products to the results."""
    return _squared(0, dtype)


def _squared(number: int, dtype: torch.dtype) -> Tensor:
    with torch.inference_mode(False), torch.no_grad():
        matrix = filter_matrices(_TILE)[number]
        return torch.kron(matrix, matrix).to(dtype)


def filter_matrices(tile: int) -> tuple[Tensor, Tensor, Tensor]:
    """A [p, tile], G [p, 3] and B [p, p] of the algorithm (Toom-Cook), for p = tile + 2.

    The values at p points determine the product of two polynomials of degrees tile - 1 and 2; the
    transpose of this multiplication is the filter.
    """
    products = tile + _TAPS - 1
    points = torch.tensor(_POINTS[:products - 1], dtype=torch.float64).unsqueeze(1)

    def values(terms: int) -> Tensor:
        powers = points ** torch.arange(terms)
        infinity = torch.zeros(1, terms, dtype=torch.float64)
        infinity[0, -1] = 1
        return torch.cat([powers, infinity])

    source = torch.linalg.inv(values(products)).T
    # A factor can move between B and G; this one makes the entries of B about 1.
    scale = torch.where(source.abs() > 1e-9, source.abs(), torch.inf).amin(1, keepdim=True)
    return values(tile), values(_TAPS) * scale, source / scale
