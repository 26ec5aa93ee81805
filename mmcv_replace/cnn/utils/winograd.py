"""3 x 3 convolutions with a quarter of the multiplications (Winograd's minimal filtering).

Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016, arXiv:1509.09308:
F(4 x 4, 3 x 3). A tile of 4 results of a one-dimensional filter of 3 taps comes from 6 products,
y = A.T @ ((G @ w) * (B @ x)); in two dimensions, 36 products instead of 144. The steps before and
after the products are linear and separable, so that matrix products compute all of them, including
dilation, padding and tiles that the border cuts off. The relative error (norm) of float32 results
is about 1.5e-6; it is 2e-7 for a plain convolution.
"""
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
# Rows and columns of a band: the matrices are dense, and their size grows with it.
_BAND = 64
# Input channels and bands computed at a time: limits the memory for products and kernels.
CHANNELS = 256
_BANDS_AT_ONCE = 4


@dataclass(frozen=True)
class _Band:
    """A range of rows (or columns): its input, its results, and the matrices between them.

    `read`, `made`: the rows of the input that it needs, and the rows of the result. `spread`:
    [6, t, read size], from the input to the six factors of each of t tiles; `merge`:
    [6, t, made size], whose transpose maps the products to the results.
    """

    read: slice
    made: slice
    spread: Tensor
    merge: Tensor


def winograd_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None = None,
                    dilation: tuple[int, int] = (1, 1)) -> Tensor:
    """Convolution with stride 1 and zero padding equal to `dilation`, in float32 or float64.

    x: [N, C, H, W], weight: [O, C, 3, 3], bias: [O] -> [N, O, H, W].
    """
    return _Winograd.apply(x, weight, bias, dilation)


def share_of_products(size: tuple[int, int], dilation: tuple[int, int]) -> float:
    """Number of multiplications in the products, divided by that of the plain convolution."""
    share = 1.0
    for pixels, step in zip(size, dilation, strict=True):
        tiles = sum(band.spread.shape[1] for band in _bands(pixels, step, torch.float32))
        share *= _PRODUCTS * tiles / (_TAPS * pixels)
    return share


def winograd_gradients(grad: Tensor, x: Tensor, weight: Tensor, dilation: tuple[int, int],
                       wanted: Sequence[bool]) -> tuple[Tensor | None, ...]:
    """Gradients of x, weight and bias for `grad` [N, O, H, W]; None for those not in `wanted`."""
    grad_x = x.new_zeros(x.shape) if wanted[0] else None
    grad_weight = weight.new_zeros(weight.shape) if wanted[1] else None
    if wanted[0] or wanted[1]:
        for places in _places(x, dilation):
            _add_gradients(grad, x, weight, places, grad_x, grad_weight)
    return grad_x, grad_weight, grad.sum((0, 2, 3)) if wanted[2] else None


class _Winograd(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None,
                dilation: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        out = x.new_empty(x.shape[0], weight.shape[0], *x.shape[2:])
        for places in _places(x, dilation):
            _convolve(x, weight, places, out)
        return out if bias is None else out.add_(bias.view(-1, 1, 1))

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        return (*winograd_gradients(grad, x, weight, ctx.dilation, ctx.needs_input_grad), None)


_Place = tuple[int, _Band, _Band]


def _places(x: Tensor, dilation: tuple[int, int]) -> list[list[_Place]]:
    """(image, band of rows, band of columns) of the whole batch, in groups to compute at once."""
    rows, columns = (_bands(size, step, x.dtype)
                     for size, step in zip(x.shape[2:], dilation, strict=True))
    every = [(image, r, c) for image in range(len(x)) for r in rows for c in columns]
    return [every[i:i + _BANDS_AT_ONCE] for i in range(0, len(every), _BANDS_AT_ONCE)]


def _convolve(x: Tensor, weight: Tensor, places: list[_Place], out: Tensor) -> None:
    """Write the results at `places` to `out`, the sum over groups of input channels."""
    sums: list[Tensor] = []
    buffer = _factor_buffer(x, places)
    for part in channel_parts(weight):
        kernels = _kernels(weight[:, part])
        for i, (image, rows, columns) in enumerate(places):
            factors = _spread(x[image, part, rows.read, columns.read], rows.spread, columns.spread,
                              buffer)
            if part.start == 0:
                sums.append(products(factors, kernels))
            else:
                products(factors, kernels, out=sums[i])
    for (image, rows, columns), own in zip(places, sums, strict=True):
        out[image, :, rows.made, columns.made] = _merge(own, rows.merge, columns.merge)


def _add_gradients(grad: Tensor, x: Tensor, weight: Tensor, places: list[_Place],
                   grad_x: Tensor | None, grad_weight: Tensor | None) -> None:
    """Add the gradients at `places`: the transposed steps of `_convolve`, in reverse order."""
    outer = [_spread(grad[image, :, rows.made, columns.made], rows.merge, columns.merge)
             for image, rows, columns in places]
    # In this order once, and not anew for the product of each group of channels.
    turned = [None if grad_weight is None else _turned(own) for own in outer]
    buffer = _factor_buffer(x, places)
    for part in channel_parts(weight):
        kernels = None if grad_x is None else _kernels(weight[:, part])
        total = None
        for (image, rows, columns), own, own_turned in zip(places, outer, turned, strict=True):
            where = (image, part, rows.read, columns.read)
            if grad_weight is not None:
                factors = _spread(x[where], rows.spread, columns.spread, buffer)
                total = products(own_turned, factors.transpose(1, 2), out=total)
            if grad_x is not None:
                grad_x[where] += _merge(products(own, kernels.transpose(1, 2)), rows.spread,
                                        columns.spread)
        if grad_weight is not None:
            grad_weight[:, part] += _kernel_gradient(total)


def _factor_buffer(x: Tensor, places: list[_Place]) -> Tensor:
    """Memory for the factors of a place: new memory would take longer than to fill it."""
    tiles = max(rows.spread.shape[1] * columns.spread.shape[1] for _, rows, columns in places)
    return x.new_empty(_PRODUCTS ** 2 * tiles * min(CHANNELS, x.shape[1]))


def _turned(x: Tensor) -> Tensor:
    """[B, M, K] -> [B, K, M], without gaps."""
    # torch transposes single matrices in blocks, which is several times as fast as the whole.
    out = x.new_empty(x.shape[0], x.shape[2], x.shape[1])
    for source, target in zip(x, out, strict=True):
        target.copy_(source.T)
    return out


def channel_parts(weight: Tensor) -> list[slice]:
    """Slices of at most CHANNELS of the input channels of [O, C, 3, 3]."""
    channels = weight.shape[1]
    return [slice(i, min(i + CHANNELS, channels)) for i in range(0, channels, CHANNELS)]


def _spread(x: Tensor, rows: Tensor, columns: Tensor, buffer: Tensor | None = None) -> Tensor:
    """rows @ x @ columns.T for each channel: [C, h, w] -> [6 * 6, tiles, C], columns first.

    `buffer` is memory for the result, of any size that suffices.
    """
    channels, height, width = x.shape
    (six, down, _), across = rows.shape, columns.shape[1]
    half = columns.view(-1, width) @ x.permute(1, 2, 0)
    half = half.view(height, six, across * channels)
    size = six * six * down * across * channels
    out = x.new_empty(size) if buffer is None else buffer[:size]
    out = out.view(six, six * down, across * channels)
    for i in range(six):
        torch.mm(rows.view(-1, height), half[:, i], out=out[i])
    return out.view(six * six, down * across, channels)


def _merge(summed: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The transpose of `_spread`: [36, tiles, C] -> [C, h, w]."""
    (six, down, height), (_, across, width) = rows.shape, columns.shape
    channels = summed.shape[2]
    summed = summed.view(six, six * down, across * channels)
    half = summed.new_empty(height, six, across * channels)
    for i in range(six):
        torch.mm(rows.view(-1, height).T, summed[i], out=half[:, i])
    half = half.view(height, six * across, channels)
    return (half.transpose(1, 2) @ columns.view(-1, width)).transpose(0, 1)


def _kernels(weight: Tensor) -> Tensor:
    """Transformed weights: [O, C, 3, 3] -> [6 * 6, O, C], columns first as in `_spread`."""
    out, channels = weight.shape[:2]
    flat = weight.reshape(1, out * channels, _TAPS * _TAPS)
    return products(_kernel_matrix(weight.dtype)[None], flat).view(-1, out, channels)


def _kernel_gradient(grad: Tensor) -> Tensor:
    """The transpose of `_kernels`: [36, O, C] -> [O, C, 3, 3]."""
    _, out, channels = grad.shape
    flat = products(_kernel_matrix(grad.dtype).T[None], grad.view(1, len(grad), -1).mT)
    return flat.view(_TAPS, _TAPS, out, channels).permute(2, 3, 0, 1)


@lru_cache(maxsize=8)
def _kernel_matrix(dtype: torch.dtype) -> Tensor:
    """G for both directions: [36, 9]."""
    with torch.inference_mode(False), torch.no_grad():
        _, kernel, _ = filter_matrices(_TILE)
        return torch.einsum('cj,ri->crij', kernel, kernel).reshape(-1, _TAPS * _TAPS).to(dtype)


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


@lru_cache(maxsize=256)
def _bands(size: int, dilation: int, dtype: torch.dtype) -> tuple[_Band, ...]:
    """The bands of `size` rows. The rows of a tile are `dilation` apart."""
    tile = _TILE * dilation
    count = -(-size // max(_BAND, tile))
    edges = [min(size, -(-size * i // (count * tile)) * tile) for i in range(count + 1)]
    with torch.inference_mode(False), torch.no_grad():
        merge, _, spread = filter_matrices(_TILE)
        return tuple(_make_band(begin, end, size, dilation, merge, spread, dtype)
                     for begin, end in zip(edges[:-1], edges[1:], strict=True) if begin < end)


def _make_band(begin: int, end: int, size: int, dilation: int, merge: Tensor, spread: Tensor,
               dtype: torch.dtype) -> _Band:
    low, high = max(0, begin - dilation), min(size, end + dilation)
    tile = _TILE * dilation
    count = -(-(end - begin) // tile) * dilation
    read = spread.new_zeros(_PRODUCTS, count, high - low)
    made = spread.new_zeros(_PRODUCTS, count, end - begin)
    for i in range(count):
        first = begin + i // dilation * tile + i % dilation
        for k in range(_PRODUCTS):
            row = first + (k - 1) * dilation
            if low <= row < high:
                read[:, i, row - low] = spread[:, k]
        for k in range(_TILE):
            row = first + k * dilation
            if row < end:
                made[:, i, row - begin] = merge[:, k]
    return _Band(slice(low, high), slice(begin, end), read.to(dtype), made.to(dtype))
