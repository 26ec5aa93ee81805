"""Attention masks of point-wise spatial attention (PSANet, ECCV 2018), moved to absolute positions.

Each pixel predicts weights for the pixels around it; the operator moves them to where these are.
"""
import math
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmcv_replace.utils.trace import apply, is_traced

from .function_names import as_function
from .parts import parts

# Elements of a temporary tensor, beyond which the rows of the map are moved in several steps.
LIMIT = 2 ** 20
Size = int | tuple[int, int] | list[int]
_TYPES = ('collect', 'distribute')


def psa_mask(input: Tensor, psa_type: str | int, mask_size: Size) -> Tensor:
    """Weights between all pairs of pixels, from the masks that the pixels have predicted.

    input: [N, mask_h * mask_w, H, W], a mask for each pixel, whose middle, at
    ((mask_h - 1) // 2, (mask_w - 1) // 2), is the pixel itself -> [N, H * W, H, W].
    'collect' (or 0): out[n, y * W + x, h, w] is the weight in the mask of (h, w) for (y, x);
    'distribute' (or 1): out[n, h * W + w, y, x] is. It is 0 outside of the mask.
    The part of the masks that lies on the map is copied, some rows at a time, between a padded
    matrix and one that is a column shorter: that moves each row by one further, and needs no
    index. Cost: the copies, up to four times the output; memory: the output and up to four tensors
    of LIMIT numbers.
    Raises ConfigError for another `psa_type`, a `mask_size` below 1 or one that does not fit
    the input, and ArgumentError for one that is no size.
    """
    mask = _pair(mask_size)
    kind = _TYPES[psa_type] if psa_type in (0, 1) else _checked(psa_type)
    if input.dim() != 4 or input.shape[1] != mask[0] * mask[1]:
        raise ConfigError(f'psa_mask: an input of shape {tuple(input.shape)} does not fit '
                          f'mask_size={mask_size!r}, which needs [N, {mask[0] * mask[1]}, H, W]')
    return apply(_Moved, input, _Sizes(mask, tuple(input.shape[2:])), kind, False)


PSAMaskFunction = as_function('PSAMaskFunction', psa_mask)


class PSAMask(nn.Module):
    """`psa_mask` as a layer, of 'collect' or 'distribute' (`psa_type`).

    [N, mask_h * mask_w, H, W] -> [N, H * W, H, W]. `mask_size`: (mask_h, mask_w), or a number for
    both; the layer must have one when it is called. Raises ConfigError for another `psa_type`.
    """

    def __init__(self, psa_type: str, mask_size: Size | None = None) -> None:
        super().__init__()
        self.psa_type = _checked(psa_type)
        self.psa_type_enum = _TYPES.index(psa_type)
        self.mask_size = mask_size

    def forward(self, input: Tensor) -> Tensor:
        return psa_mask(input, self.psa_type_enum, self.mask_size)

    def extra_repr(self) -> str:
        return f'psa_type={self.psa_type}, mask_size={self.mask_size}'


def _checked(psa_type: str) -> str:
    if psa_type not in _TYPES:
        raise ConfigError(f'PSAMask: psa_type={psa_type!r} is not one of {", ".join(_TYPES)}')
    return psa_type


def _pair(mask_size: Size) -> tuple[int, int]:
    pair = (mask_size, mask_size) if isinstance(mask_size, int) else mask_size
    if not isinstance(pair, tuple | list) or len(pair) != 2 or not all(
            isinstance(size, int) for size in pair):
        raise ArgumentError(f'PSAMask: mask_size={mask_size!r} is no size: give (height, width) '
                            'or a number for both')
    if min(pair) < 1:
        raise ConfigError(f'PSAMask: mask_size={mask_size!r} is below 1')
    return tuple(pair)


class _Sizes(NamedTuple):
    """Height and width of the masks and of the map."""

    mask: tuple[int, int]
    map: tuple[int, int]

    def pads(self, seen: slice) -> tuple[int, ...]:
        """What to pad masks [..., mask_h, W, mask_w] by, of the pixels in these rows of the map.

        From its own place a pixel sees up to H - 1 (W - 1) others to either side. A further row and
        column are there for `_sheared`. Where the number is negative, the mask reaches further than
        the map, and loses as much.
        """
        (mask_h, mask_w), (height, width) = self
        top, left = seen.stop - 1 - (mask_h - 1) // 2, width - 1 - (mask_w - 1) // 2
        rows, columns = height + seen.stop - seen.start, 2 * width
        return left, columns - left - mask_w, 0, 0, top, rows - top - mask_h

    def strips(self, batch: int) -> list[slice]:
        """Rows of the map, a few at a time; all at once in a graph, which its compiler plans."""
        height, width = self.map
        if is_traced():
            return [slice(0, height)]
        return parts(height, 4 * batch * height * width ** 2, LIMIT)


class _Moved(Function):
    """Masks [N, mask_h * mask_w, H, W] in their places [N, H * W, H, W], or, `back`, the reverse.

    Each is the gradient of the other.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, sizes: _Sizes, kind: str, back: bool) -> Tensor:
        ctx.arguments = sizes, kind, not back
        inside, outside = (*sizes.mask, *sizes.map), (*sizes.map, *sizes.map)
        if not x.numel():
            return x.new_zeros(x.shape[0], math.prod((inside if back else outside)[:2]),
                               *sizes.map)

        def by_pixel(pairs: Tensor, distributed: bool) -> Tensor:
            return pairs.permute(0, 3, 4, 1, 2) if distributed else pairs

        move, distributed = _back if back else _forth, kind == 'distribute'
        source = by_pixel(x.unflatten(1, outside[:2] if back else inside[:2]), distributed and back)
        strips = sizes.strips(x.shape[0])
        if len(strips) == 1:
            out = by_pixel(move(source, sizes.pads(strips[0])), distributed and not back)
            return out.reshape(x.shape[0], -1, *sizes.map)
        out = x.new_empty(x.shape[0], *(inside if back else outside))
        target = by_pixel(out, distributed and not back)
        for rows in strips:
            target[..., rows, :] = move(source[..., rows, :], sizes.pads(rows))
        return out.flatten(1, 2)

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        return _Moved.apply(grad, *ctx.arguments), None, None, None


def _forth(masks: Tensor, pads: tuple[int, ...]) -> Tensor:
    """Masks [N, mask_h, mask_w, rows, W] -> weights [N, H, W, rows, W] in absolute positions."""
    columns = _sheared(F.pad(masks.permute(0, 3, 1, 4, 2), pads))
    return _sheared(columns.permute(0, 3, 4, 1, 2)).permute(0, 4, 2, 3, 1)


def _back(weights: Tensor, pads: tuple[int, ...]) -> Tensor:
    """Weights [N, H, W, rows, W] -> masks [N, mask_h, mask_w, rows, W], 0 where none comes from."""
    rows = _straightened(weights.permute(0, 4, 2, 3, 1))
    masks = F.pad(_straightened(rows.permute(0, 3, 4, 1, 2)), [-size for size in pads])
    return masks.permute(0, 2, 4, 1, 3)


def _sheared(x: Tensor) -> Tensor:
    """[..., R, R + C] -> [..., R, C], of row r the columns from R - 1 - r on.

    In memory, rows that are one shorter begin one place earlier each.
    """
    rows, width = x.shape[-2:]
    flat = x.flatten(-2)[..., rows - 1:rows * width - 1]
    return flat.unflatten(-1, (rows, width - 1))[..., :width - rows]


def _straightened(x: Tensor) -> Tensor:
    """[..., R, C] -> [..., R, R + C]: `_sheared` back, with zeros around."""
    rows, columns = x.shape[-2:]
    flat = F.pad(x, (0, rows - 1)).flatten(-2)
    return F.pad(flat, (rows - 1, 1)).unflatten(-1, (rows, rows + columns))
