"""Fully convolutional head."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import concat_conv

from ..builder import HEADS
from .decode_head import BaseDecodeHead


@HEADS.register_module()
class FCNHead(BaseDecodeHead):
    """`num_convs` convolutions, then the classifier (FCN, arXiv:1411.4038).

    `concat_input` adds a convolution over the input concatenated with their result. By default
    (`fuse_concat`) it is the sum of two convolutions, which need not hold the concatenation.
    """

    def __init__(self, num_convs: int = 2, kernel_size: int = 3, concat_input: bool = True,
                 dilation: int = 1, fuse_concat: bool = True, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if num_convs < 0:
            raise ConfigError(f'FCNHead: num_convs={num_convs} must be 0 or more')
        if kernel_size < 1 or dilation < 1:
            raise ConfigError(f'FCNHead: kernel_size={kernel_size} and dilation={dilation} must be '
                              '1 or more')
        if num_convs == 0 and self.in_channels != self.channels:
            raise ConfigError(f'FCNHead: with num_convs=0, channels={self.channels} must equal '
                              f'in_channels={self.in_channels}')
        self.num_convs = num_convs
        self.kernel_size = kernel_size
        self.concat_input = concat_input
        self.fuse_concat = fuse_concat
        self.convs = nn.Identity() if num_convs == 0 else nn.Sequential(*(
            self.conv_module(self.in_channels if i == 0 else self.channels, self.channels,
                             kernel_size, dilation)
            for i in range(num_convs)))
        if concat_input:
            self.conv_cat = self.conv_module(self.in_channels + self.channels, self.channels,
                                             kernel_size)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        return self.classify(x, self.convs(x))

    def classify(self, x: Tensor, features: Tensor) -> Tensor:
        """Logits [N, out_channels, h, w] of the input [N, in_channels, h, w] and what became of it.

        `features` [N, channels, h, w] is the result of the convolutions.
        """
        if self.concat_input:
            features = self._convolve_both(x, features)
        return self.cls_seg(features)

    def _convolve_both(self, x: Tensor, features: Tensor) -> Tensor:
        if not (self.fuse_concat and type(self.conv_cat) is ConvModule and self.conv_cat.is_plain):
            return self.conv_cat(torch.cat([x, features], dim=1))
        conv = self.conv_cat.conv
        return self.conv_cat.after_conv(
            concat_conv([x, features], conv.weight, conv.bias, conv._conv_forward))
