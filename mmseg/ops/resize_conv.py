"""Convolution of maps that are enlarged to one size and concatenated."""
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from mmcv_replace.cnn.utils.winograd_conv import has_enough_channels

from .resample import pyramid_conv, resize_matrices
from .wrappers import resize, warn_unaligned


def resize_conv(maps: Sequence[Tensor], conv: nn.Conv2d, align_corners: bool) -> Tensor:
    """What `conv` gives for the maps, bilinearly enlarged to the size of the first, side by side.

    maps: [N, C_i, h_i, w_i], conv: one for which `fits_resize_conv` -> [N, O, h_0, w_0].
    A map is convolved before it is enlarged where that multiplies less: both are linear. The others
    are enlarged and concatenated. The result is the same up to rounding.
    """
    first, size = maps[0], tuple(maps[0].shape[2:])
    weights = conv.weight.split([x.shape[1] for x in maps], dim=1)
    small, large = [], []
    for x, weight in zip(maps, weights, strict=True):
        late = x is not first and _pays(x, weight, size)
        if late and align_corners:
            warn_unaligned(tuple(x.shape[2:]), size)
        (small if late else large).append((x, weight))
    joined = torch.cat([x if x.shape[2:] == size else resize(
        x, size, mode='bilinear', align_corners=align_corners) for x, _ in large], dim=1)
    weight = torch.cat([weight for _, weight in large], dim=1)
    convolve = (conv._conv_forward if has_enough_channels(joined.shape[1], conv.out_channels)
                else partial(nn.Conv2d._conv_forward, conv))
    if not small:
        return convolve(joined, weight, conv.bias)
    maps, kernels = zip(*small, strict=True)
    if conv.kernel_size == (3, 3):
        return pyramid_conv(joined, [*maps], torch.cat([weight, *kernels], dim=1), conv.bias,
                            align_corners, convolve)
    out = convolve(joined, weight, conv.bias)
    rows, wide = [], []
    for x, kernel in small:
        x = nn.functional.conv2d(x, kernel)
        row, column = resize_matrices(x, size, align_corners)
        rows.append(row)
        wide.append(x @ column.T)
    # One product sums over the rows of all maps, so that only its result is as large as the first.
    return out.add_(torch.cat(rows, dim=1) @ torch.cat(wide, dim=2))


def fits_resize_conv(conv: nn.Conv2d) -> bool:
    """Whether it is a 1 x 1 or 3 x 3 convolution that keeps the size of its input."""
    return (conv.kernel_size in ((1, 1), (3, 3)) and conv.stride == (1, 1) and conv.groups == 1
            and conv.dilation == (1, 1) and conv.padding == (
                conv.kernel_size[0] // 2, conv.kernel_size[1] // 2))


def _pays(x: Tensor, weight: Tensor, size: tuple[int, int]) -> bool:
    """Whether it takes fewer multiplications to convolve x at its own size."""
    (h, w), (s, t), (outputs, channels, k, _) = size, x.shape[2:], weight.shape
    if not all(type(side) is int for side in (h, w, s, t)):
        return False  # a traced graph does not know
    late = outputs * (k * k * channels * s * t + k * s * k * t * w + k * s * h * w)
    return late < outputs * k * k * channels * h * w
