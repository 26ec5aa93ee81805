"""Deformable convolution, whose kernel samples maps at displacements that are computed too."""
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.utils import _pair

from ..cnn.bricks.registry import CONV_LAYERS
from ..utils import deprecated_api_warning
from ..utils.errors import ConfigError, UsageError
from .deform.layer import DeformLayer, OwnOffsets, zero_offsets
from .deform.options import DeformOptions, Size, check_call
from .deform.sampled_conv import sampled_conv2d
from .function_names import as_function


def deform_conv2d(input: Tensor, offset: Tensor, weight: Tensor, stride: Size = 1,
                  padding: Size = 0, dilation: Size = 1, groups: int = 1, deform_groups: int = 1,
                  bias: bool = False, im2col_step: int = 32) -> Tensor:
    """Deformable convolution, arXiv:1703.06211.

    input: [N, C, H, W]; weight: [O, C / groups, h, w]; offset: [N, 2 G h w, H', W'] with the
    displacement (vertical, horizontal) in pixels of each point of the kernel, row by row, for each
    of G `deform_groups` of channels -> [N, O, H', W'] in the type of the offset, to which all is
    cast. The input is zero beyond its border. The derivative with respect to the offset is
    one-sided where a sample is exactly at a pixel.

    `im2col_step`: most images that are computed at a time; it divides the batch, or is larger.
    Cost: N H' W' h w C (2 O / groups + 8) operations, twice as many more for the gradients. Memory
    besides arguments and result: columns of a 16th to a quarter of an image's values. They
    are computed again for the gradients.

    Raises UsageError where tensors do not fit each other, a batch is empty or im2col_step does not
    divide it, and for a `bias`, which this convolution has not.
    """
    if bias:
        raise UsageError(f'bias={bias!r}: a deformable convolution has no bias; add it to the '
                         'result, or use modulated_deform_conv2d')
    options = DeformOptions(
        tuple(weight.shape[2:]), _pair(stride), _pair(padding), _pair(dilation), groups,
        deform_groups, im2col_step)
    check_call(input, offset, None, weight, options)
    if im2col_step < 1 or len(input) % min(im2col_step, len(input)):
        raise UsageError(f'im2col_step={im2col_step} must divide the batch of {len(input)} images, '
                         'or be as large at least')
    return sampled_conv2d(input, offset, None, weight, None, options)


DeformConv2dFunction = as_function('DeformConv2dFunction', deform_conv2d)


class DeformConv2d(DeformLayer):
    """Deformable convolution of maps and of offsets that another layer has computed.

    x: [N, C, H, W], offset: [N, 2 G h w, H', W'] -> [N, O, H', W']; see `deform_conv2d`. Raises
    ConfigError for a bias, which it has not, and for groups that do not divide the channels.
    """

    @deprecated_api_warning({'deformable_groups': 'deform_groups'}, cls_name='DeformConv2d')
    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
                 padding: Size = 0, dilation: Size = 1, groups: int = 1, deform_groups: int = 1,
                 bias: bool = False, im2col_step: int = 32) -> None:
        if bias:
            raise ConfigError(f'{type(self).__name__}: bias={bias!r}, but it has none: leave it '
                              "out, or use the type 'DCNv2'")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                         deform_groups)
        self.im2col_step = im2col_step
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight, as for a layer before a ReLU (arXiv:1502.01852)."""
        nn.init.kaiming_uniform_(self.weight, nonlinearity='relu')

    def forward(self, x: Tensor, offset: Tensor) -> Tensor:
        """The convolution; maps smaller than the kernel are padded with zeros to its size."""
        pad_y, pad_x = (max(taps - size, 0) for taps, size in zip(self.kernel_size, x.shape[2:],
                                                                  strict=True))
        if not (pad_y or pad_x):
            return self._convolve(x, offset)
        out = self._convolve(F.pad(x, (0, pad_x, 0, pad_y)), F.pad(offset, (0, pad_x, 0, pad_y)))
        return out[:, :, :out.shape[2] - pad_y, :out.shape[3] - pad_x].contiguous()

    def _convolve(self, x: Tensor, offset: Tensor) -> Tensor:
        return deform_conv2d(x, offset, self.weight, self.stride, self.padding, self.dilation,
                             self.groups, self.deform_groups, False, self.im2col_step)


@CONV_LAYERS.register_module('DCN')
class DeformConv2dPack(OwnOffsets, DeformConv2d):
    """Deformable convolution with the layer that computes its offsets, `conv_offset`.

    x: [N, C, H, W] -> [N, O, H', W']. At first it is a plain convolution: the offsets are zero.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.conv_offset = self.make_offset_conv(2)

    def init_offset(self) -> None:
        """Make all offsets zero."""
        zero_offsets(self.conv_offset)

    def forward(self, x: Tensor) -> Tensor:
        return self._convolve(x, self.conv_offset(x))
