"""Convolution with TensorFlow's 'same' padding."""
import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from .registry import CONV_LAYERS


def total_padding(size: Sequence[int], kernel_size: Sequence[int], stride: Sequence[int],
                  dilation: Sequence[int]) -> tuple[int, int]:
    """Rows and columns to add to `size`, so that there is an output for each stride begun."""
    return tuple(
        max((math.ceil(side / step) - 1) * step + (kernel - 1) * spread + 1 - side, 0)
        for side, kernel, step, spread in zip(size, kernel_size, stride, dilation, strict=True))


@CONV_LAYERS.register_module()
class Conv2dAdaptivePadding(nn.Conv2d):
    """Conv2d whose output is ceil(size / stride), whatever the input's size.

    The padding is computed from the input; `padding` is accepted but not used. Where it is odd,
    the extra row is at the bottom and the extra column on the right, as in TensorFlow.
    x: [N, C, H, W] -> [N, out_channels, ceil(H / stride), ceil(W / stride)].
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int],
                 stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0,
                 dilation: int | tuple[int, int] = 1, groups: int = 1, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)

    def forward(self, x: Tensor) -> Tensor:
        pad_h, pad_w = total_padding(x.shape[-2:], self.kernel_size, self.stride, self.dilation)
        if pad_h or pad_w:
            x = F.pad(x, [pad_w // 2, pad_w - pad_w // 2, pad_h // 2, pad_h - pad_h // 2])
        return super().forward(x)
