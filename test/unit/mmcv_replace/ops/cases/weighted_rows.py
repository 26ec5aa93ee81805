import torch

from mmcv_replace.ops.sampling import bilinear, weighted_rows

from ..op_cases import Case, uniform


def plain_sum(table, index, weight):
    return torch.stack([sum(table[row] * share for row, share in zip(*pair, strict=True))
                        for pair in zip(index, weight, strict=True)])


def sample(image, y, x):
    """Bilinear samples of one map [H, W, C]."""
    index, weight = bilinear.bilinear_corners(y, x, *image.shape[:2])
    return weighted_rows.weighted_rows(image.flatten(0, 1), index, weight)


def plain_sample(image, y, x):
    height, width = image.shape[:2]
    found = []
    for row, column in zip(y, x, strict=True):
        total = torch.zeros_like(image[0, 0])
        for i in range(height):
            for j in range(width):
                share = (1 - (row - i).abs()).clamp(min=0) * (1 - (column - j).abs()).clamp(min=0)
                total = total + share * image[i, j]
        found.append(total)
    return torch.stack(found)


def inputs():
    return uniform(6, 3), torch.arange(20).view(5, 4) ** 2 % 6, uniform(5, 4, seed=1)


CASES = [
    Case('weighted_rows', weighted_rows.weighted_rows, inputs, plain_sum),
    Case('bilinear_corners', sample, lambda: (
        uniform(4, 5, 3), uniform(30, seed=1) * 4 + 1.25, uniform(30, seed=2) * 5 + 2.25),
         plain_sample, fixed_type=(1, 2)),
]


def spread(rows, index, weight):
    return weighted_rows.row_spreader(index, weight, 6)(rows)


def plain_spread(rows, index, weight):
    out = [torch.zeros_like(rows[0]) for _ in range(6)]
    for row, places, shares in zip(rows, index.tolist(), weight, strict=True):
        for place, share in zip(places, shares, strict=True):
            out[place] = out[place] + row * share
    return torch.stack(out)


CASES.append(Case('row_spreader', spread, lambda: (
    uniform(5, 3), torch.arange(20).view(5, 4) ** 2 % 5, uniform(5, 4, seed=1)), plain_spread,
    differentiable=False, trace='adds at an index, and is part of gradients alone'))
