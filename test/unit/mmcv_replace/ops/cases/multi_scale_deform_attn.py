import torch

from mmcv_replace.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

from ..op_cases import Case, uniform

N, QUERIES, HEADS, POINTS, WIDTH = 2, 4, 2, 2, 3
SHAPES = torch.tensor([[3, 4], [1, 2], [2, 1]])


def inputs():
    """Positions up to two pixels beyond the border, and none at a kink."""
    place = (N, QUERIES, HEADS, len(SHAPES), POINTS)
    return (uniform(N, 16, HEADS, WIDTH), SHAPES, uniform(*place, 2, seed=1) * 0.9 + 0.513,
            uniform(*place, seed=2))


def sample(image, x, y):
    """Bilinear sample of one map [H, W, D]."""
    height, width = image.shape[:2]
    row, column = y * height - 0.5, x * width - 0.5
    return sum((1 - (row - i).abs()).clamp(min=0) * (1 - (column - j).abs()).clamp(min=0)
               * image[i, j] for i in range(height) for j in range(width))


def plain(value, shapes, locations, weights):
    out = []
    for n, q, m in torch.cartesian_prod(*map(torch.arange, (N, QUERIES, HEADS))).tolist():
        start, total = 0, 0
        for level, (height, width) in enumerate(shapes.tolist()):
            image = value[n, start:start + height * width, m].view(height, width, -1)
            start += height * width
            for (x, y), weight in zip(locations[n, q, m, level], weights[n, q, m, level],
                                      strict=True):
                total = total + weight * sample(image, x, y)
        out.append(total)
    return torch.stack(out).view(N, QUERIES, -1)


CASES = [Case('multi_scale_deformable_attn', multi_scale_deformable_attn_pytorch, inputs, plain,
              fixed_type=(2,))]
