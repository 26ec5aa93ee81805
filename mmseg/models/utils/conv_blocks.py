"""Blocks of convolution, norm and activation, run with less memory than one after another."""
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.cnn.utils.recompute import has_hooks, norm_relu_conv
from mmseg.ops import concat_conv


def run_blocks(blocks: Sequence[nn.Module], parts: Tensor | Sequence[Tensor],
               recompute: bool = False) -> Tensor:
    """Run ConvModules one after another.

    parts: [N, C, H, W], or several maps of one size that count as concatenated, see
    `conv_of_parts`. `recompute`: see `norm_relu_conv`. Blocks of other classes, with hooks, or
    whose convolution is not plain, are called as they are.
    """
    parts = [parts] if isinstance(parts, Tensor) else parts
    if not all(is_plain_block(block) for block in blocks):
        x = parts[0] if len(parts) == 1 else torch.cat([*parts], dim=1)
        for block in blocks:
            x = block(x)
        return x
    x = conv_of_parts(blocks[0], parts)
    for block, following in pairwise(blocks):
        if block.with_norm and block.with_activation and block.order[1] == 'norm':
            x = norm_relu_conv(block.norm, block.activate, following.conv, x, recompute)
        else:
            x = following.conv(block.after_conv(x))
    return blocks[-1].after_conv(x)


def convolve_all(block: nn.Module, maps: Sequence[Tensor], fuse: bool = True) -> Tensor:
    """block(cat(maps)) for maps [N, C_i, h, w] -> [N, O, h, w].

    With `fuse` and a plain block, the maps are convolved one by one and never concatenated.
    """
    return run_blocks([block], maps) if fuse else block(torch.cat([*maps], dim=1))


def conv_of_parts(block: ConvModule, parts: Sequence[Tensor]) -> Tensor:
    """What the convolution of a plain block gives for the concatenated parts.

    It is the sum of the convolutions of each, so that they need not be copied side by side, nor
    that copy be kept for the backward pass.
    """
    conv = block.conv
    if len(parts) == 1:
        return conv(parts[0])
    if conv.groups > 1:
        return conv(torch.cat([*parts], dim=1))
    return concat_conv([*parts], conv.weight, conv.bias, conv._conv_forward)


def is_plain_block(block: nn.Module) -> bool:
    """Whether it is a ConvModule without hooks that begins with a plain convolution."""
    return isinstance(block, ConvModule) and block.is_plain and not has_hooks(block)
