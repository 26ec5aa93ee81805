"""A convolution block over several maps, as over their concatenation."""
from collections.abc import Sequence

import torch
from torch import Tensor

from mmcv_replace.cnn import ConvModule
from mmseg.ops import concat_conv


def convolve_all(block: ConvModule, maps: Sequence[Tensor], fuse: bool = True) -> Tensor:
    """block(cat(maps)) for maps [N, C_i, h, w] -> [N, O, h, w].

    With `fuse` and a plain convolution, the maps are convolved one by one and never concatenated.
    """
    if not (fuse and block.is_plain):
        return block(torch.cat(list(maps), dim=1))
    conv = block.conv
    return block.after_conv(concat_conv(maps, conv.weight, conv.bias, conv._conv_forward))
