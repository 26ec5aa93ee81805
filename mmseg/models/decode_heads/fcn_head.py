"""Fully convolutional head."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError

from ..builder import HEADS
from .decode_head import BaseDecodeHead


@HEADS.register_module()
class FCNHead(BaseDecodeHead):
    """`num_convs` convolutions, then the classifier (FCN, arXiv:1411.4038).

    `concat_input` adds a convolution over the input concatenated with their result.
    """

    def __init__(self, num_convs: int = 2, kernel_size: int = 3, concat_input: bool = True,
                 dilation: int = 1, **kwargs: object) -> None:
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
        self.convs = nn.Identity() if num_convs == 0 else nn.Sequential(*(
            self.conv_module(self.in_channels if i == 0 else self.channels, self.channels,
                             kernel_size, dilation)
            for i in range(num_convs)))
        if concat_input:
            self.conv_cat = self.conv_module(self.in_channels + self.channels, self.channels,
                                             kernel_size)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        output = self.convs(x)
        if self.concat_input:
            output = self.conv_cat(torch.cat([x, output], dim=1))
        return self.cls_seg(output)
