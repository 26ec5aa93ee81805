import math

import torch

from mmcv_replace.ops import ConcatCell, GlobalPoolingCell, SumCell

from ..op_cases import Case, uniform, with_state
from .corner_pool import unequal
from .masked_conv import plain_conv


def nearest(x, height, width):
    rows = [i * x.shape[2] // height for i in range(height)]
    columns = [j * x.shape[3] // width for j in range(width)]
    return torch.stack([x[..., i, j] for i in rows for j in columns], -1).view(
        *x.shape[:2], height, width)


def bilinear(x, height, width):
    def weights(new, old):
        for i in range(new):
            place = max((i + 0.5) * old / new - 0.5, 0)
            low = min(int(place), old - 1)
            yield low, min(low + 1, old - 1), place - low

    return torch.stack([
        (x[..., top, left] * (1 - b) + x[..., top, right] * b) * (1 - a)
        + (x[..., bottom, left] * (1 - b) + x[..., bottom, right] * b) * a
        for top, bottom, a in weights(height, x.shape[2])
        for left, right, b in weights(width, x.shape[3])], -1).view(*x.shape[:2], height, width)


def shrunk(x, height, width):
    """Largest values of cells, with zeros around the map, more of them behind it."""
    cell = [math.ceil(old / new) for old, new in zip(x.shape[2:], (height, width), strict=True)]
    before = [(cell[k] * new - x.shape[2 + k]) // 2 for k, new in enumerate((height, width))]

    def pixel(i, j):
        i, j = i - before[0], j - before[1]
        return (x[..., i, j] if 0 <= i < x.shape[2] and 0 <= j < x.shape[3]
                else torch.zeros_like(x[..., 0, 0]))

    return torch.stack([
        torch.stack([pixel(cell[0] * i + k, cell[1] * j + m) for k in range(cell[0])
                     for m in range(cell[1])]).amax(0)
        for i in range(height) for j in range(width)], -1).view(*x.shape[:2], height, width)


def resized(x, size, grow):
    old = tuple(x.shape[2:])
    return x if old == size else (grow if old < size else shrunk)(x, *size)


MERGE = {
    SumCell: lambda a, b: a + b, ConcatCell: lambda a, b: torch.cat([a, b], 1),
    GlobalPoolingCell: lambda a, b: b + torch.sigmoid(b.mean((2, 3), keepdim=True)) * a}


def plain(cell, size):
    grow = bilinear if cell.upsample_mode == 'bilinear' else nearest

    def merge(x1, x2, *values):
        state = dict(zip(cell.state_dict(), values, strict=True))

        def convolved(name, x):
            weight, bias = state[f'{name}.conv.weight'], state[f'{name}.conv.bias']
            return plain_conv(x, weight, padding=weight.shape[-1] // 2) + bias.view(-1, 1, 1)

        x1 = convolved('input1_conv', x1).relu() if cell.with_input1_conv else x1
        x2 = convolved('input2_conv', x2).relu() if cell.with_input2_conv else x2
        wanted = size or max(tuple(x1.shape[2:]), tuple(x2.shape[2:]))
        out = MERGE[type(cell)](resized(x1, wanted, grow), resized(x2, wanted, grow))
        return convolved('out_conv', out.relu()) if cell.with_out_conv else out

    return merge


def case(name, cell, first, second, size=None):
    cell = cell.double()
    state = cell.state_dict()
    return Case(
        name, lambda x1, x2, *values: with_state(
            cell, dict(zip(state, values, strict=True)), x1, x2, size),
        # Halves, so that no sum is 0, where the activation has no derivative.
        lambda: (unequal(2, 2, *first), unequal(2, 2, *second, seed=1) / 2, *(
            uniform(*value.shape, seed=i + 2) / 2 for i, value in enumerate(state.values()))),
        plain(cell, size))


CASES = [
    case('sum_cell', SumCell(2, 3), (6, 5), (3, 4)),
    case('concat_cell', ConcatCell(2, 2, with_input1_conv=True, upsample_mode='bilinear'),
         (5, 4), (7, 9), (6, 6)),
    case('global_pooling_cell', GlobalPoolingCell(with_out_conv=False), (7, 5), (4, 5), (3, 2)),
]
