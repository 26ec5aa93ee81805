"""Deformable convolution whose samples are weighted."""
import math

import torch
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from ..cnn.bricks.registry import CONV_LAYERS
from ..utils import deprecated_api_warning
from ..utils.errors import UsageError
from .deform.layer import DeformLayer, OwnOffsets, zero_offsets
from .deform.options import DeformOptions, Size, check_call
from .deform.sampled_conv import sampled_conv2d
from .function_names import as_function


def modulated_deform_conv2d(input: Tensor, offset: Tensor, mask: Tensor, weight: Tensor,
                            bias: Tensor | None = None, stride: Size = 1, padding: Size = 0,
                            dilation: Size = 1, groups: int = 1, deform_groups: int = 1) -> Tensor:
    """Deformable convolution with a factor for each sample, arXiv:1811.11168.

    input: [N, C, H, W]; weight: [O, C / groups, h, w]; bias: [O]; offset: [N, 2 G h w, H', W'] and
    mask: [N, G h w, H', W'], the displacement (vertical, horizontal) in pixels and the factor of
    each point of the kernel, row by row, for each of G `deform_groups` of channels
    -> [N, O, H', W'] in the type of the offset, to which all is cast.

    Cost and memory: those of `deform_conv2d`. Raises UsageError where the tensors do not fit each
    other, there is no mask, or a batch is empty.
    """
    options = DeformOptions(tuple(weight.shape[2:]), _pair(stride), _pair(padding),
                            _pair(dilation), groups, deform_groups)
    check_call(input, offset, mask, weight, options)
    if mask is None or bias is not None and bias.shape not in (weight.shape[:1], (1,)):
        raise UsageError(
            f'modulated_deform_conv2d: mask={mask if mask is None else tuple(mask.shape)}, bias='
            f'{bias if bias is None else tuple(bias.shape)}; there must be a mask, and a bias has '
            f'{weight.shape[0]} numbers. deform_conv2d needs no mask')
    return sampled_conv2d(input, offset, mask, weight, bias, options)


ModulatedDeformConv2dFunction = as_function('ModulatedDeformConv2dFunction',
                                            modulated_deform_conv2d)


class ModulatedDeformConv2d(DeformLayer):
    """Deformable convolution of maps, offsets and factors that another layer has computed.

    x: [N, C, H, W], offset: [N, 2 G h w, H', W'], mask: [N, G h w, H', W'] -> [N, O, H', W']; see
    `modulated_deform_conv2d`. Raises ConfigError for groups that do not divide the channels.
    """

    @deprecated_api_warning({'deformable_groups': 'deform_groups'},
                            cls_name='ModulatedDeformConv2d')
    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
                 padding: Size = 0, dilation: Size = 1, groups: int = 1, deform_groups: int = 1,
                 bias: bool | str = True) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                         deform_groups)
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels))
        else:
            self.register_parameter('bias', None)
        self.init_weights()

    def init_weights(self) -> None:
        """Draw the weight between +-1 / sqrt(C h w), and make the bias zero."""
        limit = 1 / math.sqrt(self.in_channels * math.prod(self.kernel_size))
        nn.init.uniform_(self.weight, -limit, limit)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, offset: Tensor, mask: Tensor) -> Tensor:
        return modulated_deform_conv2d(
            x, offset, mask, self.weight, self.bias, self.stride, self.padding, self.dilation,
            self.groups, self.deform_groups)


@CONV_LAYERS.register_module('DCNv2')
class ModulatedDeformConv2dPack(OwnOffsets, ModulatedDeformConv2d):
    """`ModulatedDeformConv2d` with the layer for offsets and factors, `conv_offset`.

    x: [N, C, H, W] -> [N, O, H', W']. A third of the channels of `conv_offset` are the logits of
    the factors, which are 1/2 at first; the offsets are zero.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.conv_offset = self.make_offset_conv(3)
        self.init_weights()  # again, so that a seed gives the weights that it gives in mmcv

    def init_weights(self) -> None:
        """As of ModulatedDeformConv2d; all offsets become zero and all factors 1/2."""
        super().init_weights()
        if hasattr(self, 'conv_offset'):  # the constructor calls this before it exists
            zero_offsets(self.conv_offset)

    def forward(self, x: Tensor) -> Tensor:
        computed = self.conv_offset(x)
        count = computed.shape[1] // 3
        offset, mask = computed[:, :2 * count], computed[:, 2 * count:].sigmoid()
        return super().forward(x, offset, mask)
