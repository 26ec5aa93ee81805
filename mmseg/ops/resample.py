"""Average pooling and bilinear resizing as products with small constant matrices.

Both are linear and separable: `rows @ x @ columns.T` is exact, has a deterministic backward pass,
can be exported for any size, and needs no other kernel than the matrix product.
"""
from collections.abc import Callable
from functools import lru_cache, partial

import torch
from torch import Tensor

from mmcv_replace.ops.precision import wide_type

# (rows, columns); plain numbers, or symbols while a model is exported.
Sizes = tuple[int, int]
# (x, weight, bias) -> a 3 x 3 convolution with zero padding 1.
Convolve = Callable[[Tensor, Tensor, Tensor | None], Tensor]
# Values of temporary tensors that take memory which was freed before, on the host; with fewer
# channels at a time an accelerator would have too little to do.
_AT_ONCE = 2**22
_LEAST_CHANNELS = 32


def image_mean(x: Tensor) -> Tensor:
    """The mean of each channel: [N, C, h, w] -> [N, C, 1, 1].

    The gradient of a sum, unlike that of a mean, is never made at the size of the map, where it
    would also have another memory format than channels_last.
    """
    total = x.sum((2, 3), keepdim=True, dtype=wide_type(x.dtype))
    return (total / (x.shape[2] * x.shape[3])).to(x.dtype)


def pyramid_pool(x: Tensor, bins: tuple[int, ...]) -> list[Tensor]:
    """Adaptive average pooling to several grids, in one pass over x: [N, C, h, w] -> [N, C, s, s].

    Cell i of s covers the rows floor(i h / s) to ceil((i + 1) h / s), as in torch's
    adaptive_avg_pool2d. In low precision the means are rounded once for each direction.
    """
    if (not torch.compiler.is_compiling() and not x.is_contiguous()
            and x.is_contiguous(memory_format=torch.channels_last)):
        return _pool_last(x, bins)
    columns = torch.cat([_matrix('pool', (s, x.shape[3]), x) for s in bins])
    narrow = (x @ columns.T).split(list(bins), dim=3)
    return [_matrix('pool', (s, x.shape[2]), x) @ part
            for s, part in zip(bins, narrow, strict=True)]


def _pool_last(x: Tensor, bins: tuple[int, ...]) -> list[Tensor]:
    """`pyramid_pool` of a map in channels_last: each row lies in order, so rows come first."""
    n, c, height, width = x.shape
    rows = torch.cat([_matrix('pool', (s, height), x) for s in bins])
    low = (rows @ x.permute(0, 2, 3, 1).reshape(n, height, -1)).split(list(bins), dim=1)
    return [(_matrix('pool', (s, width), x) @ part.view(n, s, width, c)).permute(0, 3, 1, 2)
            for s, part in zip(bins, low, strict=True)]


def resize_matrices(x: Tensor, size: Sizes, align_corners: bool) -> tuple[Tensor, Tensor]:
    """Matrices (rows, columns): rows @ x @ columns.T is x [N, C, h, w] bilinearly resized."""
    kind = 'corners' if align_corners else 'centres'
    return (_matrix(kind, (size[0], x.shape[2]), x), _matrix(kind, (size[1], x.shape[3]), x))


def pyramid_conv(x: Tensor, maps: list[Tensor], weight: Tensor, bias: Tensor | None,
                 align_corners: bool, convolve: Convolve | None = None,
                 lead: int = 0) -> Tensor:
    """3 x 3 convolution (zero padding 1) of x concatenated with the maps, enlarged to its size.

    x: [N, C, h, w], maps: [N, C_i, s_i, t_i], weight: [O, C + sum C_i, 3, 3] -> [N, O, h, w].
    The convolution is linear in each of its inputs. The small maps are multiplied by each of the
    nine values of the kernel first; the nine products are enlarged by matrices that are shifted by
    one row or column, and summed. The result equals that of the concatenation up to rounding.
    `convolve` computes the convolution of x itself, by default with torch. The channels of the
    first `lead` maps come before those of x in the weight.
    """
    sizes = [part.shape[1] for part in maps]
    sizes.insert(lead, x.shape[1])
    parts = list(weight.split(sizes, dim=1))
    convolve = convolve or partial(torch.nn.functional.conv2d, padding=1)
    out = convolve(x, parts.pop(lead), bias)
    kind = 'shifted corners' if align_corners else 'shifted centres'
    pieces = [_enlarged(maps, kernels, tuple(x.shape[2:]), kind)
              for kernels in zip(*(each.split(_channels_at_once(maps, each)) for each in parts),
                                 strict=True)]
    return out + (pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=1))


def _channels_at_once(maps: list[Tensor], kernel: Tensor) -> int:
    """Output channels whose nine products with all maps take _AT_ONCE values."""
    products = 9 * sum(part.shape[0] * part.shape[2] * part.shape[3] for part in maps)
    if type(products) is not int or torch.compiler.is_compiling():
        return kernel.shape[0]  # a graph is for any size, and has no use for pieces
    return max(_LEAST_CHANNELS, _AT_ONCE // products)


def _enlarged(maps: list[Tensor], kernels: tuple[Tensor, ...], size: Sizes, kind: str) -> Tensor:
    """The share of the maps in `pyramid_conv`, for some output channels: [N, O, h, w]."""
    rows, wide = [], []
    for part, kernel in zip(maps, kernels, strict=True):
        n, c, s, t = part.shape
        o = kernel.shape[0]
        each = kernel.permute(2, 3, 0, 1).reshape(9 * o, c, 1, 1)
        nine = torch.nn.functional.conv2d(part, each).view(n, 3, 3, o, s, t)
        nine = nine.permute(0, 3, 1, 4, 2, 5).reshape(n, o, 3 * s, 3 * t)
        rows.append(_matrix(kind, (size[0], s), part))
        wide.append(nine @ _matrix(kind, (size[1], t), part).T)
    # One product sums over the rows of all maps, so that only its result is as large as x.
    return torch.cat(rows, dim=1) @ torch.cat(wide, dim=2)


def concat_conv(maps: list[Tensor], weight: Tensor, bias: Tensor | None,
                convolve: Convolve) -> Tensor:
    """Convolution of concatenated maps [N, C_i, h, w], as the sum of the convolutions of each.

    weight: [O, sum C_i, k, k] -> [N, O, h, w]. Each map is held once, also for backward. Maps of
    fewer values than the weight are concatenated: they take less to copy than its parts.
    """
    if _is_less(maps, weight):
        return convolve(torch.cat(maps, dim=1), weight, bias)
    parts = weight.split([x.shape[1] for x in maps], dim=1)
    out = convolve(maps[0], parts[0], bias)
    for x, part in zip(maps[1:], parts[1:], strict=True):
        out = out.add_(convolve(x, part, None))
    return out


def _is_less(maps: list[Tensor], weight: Tensor) -> bool:
    values = sum(x.numel() for x in maps)
    return type(values) is int and not torch.compiler.is_compiling() and values < weight.numel()


def _matrix(kind: str, sizes: Sizes, like: Tensor) -> Tensor:
    """The matrix in the type and on the device of `like`, from the cache where that is possible."""
    # Tensors of a traced graph have no values that could be cached.
    fixed = all(type(size) is int for size in sizes) and not torch.compiler.is_compiling()
    return (_cached if fixed else _make)(kind, sizes, like.dtype, like.device)


@lru_cache(maxsize=512)
def _cached(kind: str, sizes: Sizes, dtype: torch.dtype, device: torch.device) -> Tensor:
    # A matrix made during an evaluation must also serve training.
    with torch.inference_mode(False), torch.no_grad():
        return _make(kind, sizes, dtype, device)


def _make(kind: str, sizes: Sizes, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Compute a matrix in double precision, on the host, since some devices lack that type.

    A compiled graph computes it in each step, on the device: copying would cost more.
    """
    place = device if torch.compiler.is_compiling() else torch.device('cpu')
    if kind == 'pool':
        matrix = _pooling(*sizes, place)
    else:
        matrix = _bilinear(*sizes, place, align_corners=kind.endswith('corners'))
    if kind.startswith('shifted'):
        # Offsets -1, 0 and 1 of the kernel; beyond the border the padding is zero.
        none = matrix.new_zeros(1, matrix.shape[1])
        matrix = torch.cat([torch.cat([none, matrix[:-1]]), matrix,
                            torch.cat([matrix[1:], none])], dim=1)
    return matrix.to(dtype).to(device)


def _pooling(cells: int, size: int, place: torch.device) -> Tensor:
    """[cells, size]: each row averages the pixels of one cell."""
    cell = torch.arange(cells, device=place).unsqueeze(1)
    begin, end = cell * size // cells, ((cell + 1) * size + cells - 1) // cells
    pixel = torch.arange(size, device=place)
    return ((pixel >= begin) & (pixel < end)).double() / (end - begin)


def _bilinear(target: int, source: int, place: torch.device, align_corners: bool) -> Tensor:
    """[target, source]: each row holds the weights of the two nearest pixels of the source."""
    position = torch.arange(target, dtype=torch.float64, device=place)
    if align_corners:
        position = position * (source - 1) / max(target - 1, 1)
    else:
        position = (position + 0.5) * source / target - 0.5
    position = position.clamp(0, source - 1).unsqueeze(1)
    return (1 - (position - torch.arange(source, device=place)).abs()).clamp(min=0)
