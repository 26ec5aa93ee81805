from functools import partial

import torch

from mmcv_replace.ops import carafe

from ..op_cases import Case, uniform


def loops(features, masks, kernel_size, group_size, scale_factor):
    """A pixel and a group after the other, from the definition."""
    n, channels, height, width = features.shape
    k, each = kernel_size, channels // group_size
    out = []
    for image in range(n):
        for group in range(group_size):
            part = features[image, group * each:(group + 1) * each]
            for y in range(height * scale_factor):
                for x in range(width * scale_factor):
                    total = torch.zeros_like(part[:, 0, 0])
                    for place in range(k * k):
                        row = y // scale_factor + place // k - k // 2
                        column = x // scale_factor + place % k - k // 2
                        if 0 <= row < height and 0 <= column < width:
                            share = masks[image, group * k * k + place, y, x]
                            total = total + share * part[:, row, column]
                    out.append(total)
    out = torch.stack(out).view(n, group_size, height * scale_factor, width * scale_factor, each)
    return out.permute(0, 1, 4, 2, 3).flatten(1, 2)


def case(name, size, kernel_size, group_size, scale_factor):
    n, _, height, width = size
    masks = (n, group_size * kernel_size**2, height * scale_factor, width * scale_factor)
    options = dict(kernel_size=kernel_size, group_size=group_size, scale_factor=scale_factor)
    return Case(name, partial(carafe, **options),
                lambda: (uniform(*size), uniform(*masks, seed=1)), partial(loops, **options))


CASES = [
    case('carafe', (2, 4, 4, 5), 5, 2, 2),
    case('carafe_k3_s3', (1, 3, 5, 2), 3, 1, 3),
    # Wide enough for the last pixel of a tile to see as far as the tile's neighbourhood reaches.
    case('carafe_k7_groups', (1, 6, 3, 11), 7, 3, 1),
]
