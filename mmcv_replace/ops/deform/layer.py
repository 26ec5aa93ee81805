"""What the layers of both deformable convolutions have in common."""
import math

import torch
from torch import Tensor, nn
from torch.nn.modules.utils import _pair, _single

from ...utils.errors import ConfigError
from .options import Size, check_sizes


class DeformLayer(nn.Module):
    """The weight and the options of a deformable convolution."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
                 padding: Size = 0, dilation: Size = 1, groups: int = 1,
                 deform_groups: int = 1) -> None:
        super().__init__()
        for name, count in (('groups', groups), ('deform_groups', deform_groups)):
            if count < 1 or in_channels % count or (name == 'groups' and out_channels % count):
                raise ConfigError(
                    f'{type(self).__name__}: {name}={count} must divide in_channels={in_channels}'
                    + (f' and out_channels={out_channels}' if name == 'groups' else ''))
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.padding = _pair(padding)
        self.dilation = _pair(dilation)
        check_sizes(self.kernel_size, self.stride, self.padding, self.dilation)
        self.groups = groups
        self.deform_groups = deform_groups
        # Code for nn.Conv2d reads these.
        self.transposed = False
        self.output_padding = _single(0)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels // groups, *self.kernel_size))

    def make_offset_conv(self, values: int) -> nn.Conv2d:
        """A convolution for `values` at each point of the kernel; it gives zeros at first."""
        channels = self.deform_groups * values * math.prod(self.kernel_size)
        conv = nn.Conv2d(self.in_channels, channels, self.kernel_size, self.stride, self.padding,
                         self.dilation)
        zero_offsets(conv)
        return conv

    def extra_repr(self) -> str:
        names = ('kernel_size', 'stride', 'padding', 'dilation', 'groups', 'deform_groups')
        options = (f'{name}={getattr(self, name)}' for name in names)
        return ', '.join([f'{self.in_channels}, {self.out_channels}', *options])


def zero_offsets(conv: nn.Conv2d) -> None:
    """Make a layer for offsets give zeros, so that the kernel reads a regular grid."""
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)


class OwnOffsets(nn.Module):
    """A layer whose child `conv_offset` computes the offsets.

    Checkpoints of version 1 have that convolution beside the layer, as `conv2_offset` instead of
    `conv2.conv_offset`; they load too.
    """

    _version = 2

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str,
                              local_metadata: dict, *args: object) -> None:
        if (local_metadata.get('version') or 1) < 2:
            for name in ('weight', 'bias'):
                old, new = f'{prefix[:-1]}_offset.{name}', f'{prefix}conv_offset.{name}'
                if old in state_dict and new not in state_dict:
                    state_dict[new] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)
