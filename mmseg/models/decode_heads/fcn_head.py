"""Fully convolutional head."""
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError

from ..builder import HEADS
from ..utils.conv_blocks import convolve_all, run_blocks
from .decode_head import BaseDecodeHead


@HEADS.register_module()
class FCNHead(BaseDecodeHead):
    """`num_convs` convolutions, then the classifier (FCN, arXiv:1411.4038).

    `concat_input` adds a convolution over the input concatenated with their result.
    `fuse_concat` (the default) computes the same up to rounding without concatenations: that of
    'resize_concat' before a single convolution, see `mmseg.ops.resize_conv`, and that of
    `concat_input`. The attribute `recompute_norms`: see ResNet.
    """

    recompute_norms = False

    def __init__(self, num_convs: int = 2, kernel_size: int = 3, concat_input: bool = True,
                 dilation: int = 1, fuse_concat: bool = True, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if num_convs < 0:
            raise ConfigError(f'FCNHead: num_convs={num_convs} must be 0 or more')
        if kernel_size < 1 or dilation < 1:
            raise ConfigError(f'FCNHead: kernel_size={kernel_size} and dilation={dilation} must be '
                              '1 or more')
        if concat_input and kernel_size % 2 == 0:
            raise ConfigError(f'FCNHead: kernel_size={kernel_size} must be odd with concat_input='
                              'True, since the convolutions would change the size of the map that '
                              'is joined with their input: use an odd one, or concat_input=False')
        if num_convs == 0 and self.in_channels != self.channels:
            raise ConfigError(f'FCNHead: with num_convs=0, channels={self.channels} must equal '
                              f'in_channels={self.in_channels}')
        self.num_convs = num_convs
        self.kernel_size = kernel_size
        self.concat_input = concat_input
        self.fuse_concat = fuse_concat
        self.dilation = dilation
        self.convs = nn.Identity() if num_convs == 0 else nn.Sequential(*(
            self.conv_module(self.in_channels if i == 0 else self.channels, self.channels,
                             kernel_size, dilation)
            for i in range(num_convs)))
        if concat_input:
            self.conv_cat = self.conv_module(self.in_channels + self.channels, self.channels,
                                             kernel_size)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        if self.fuse_concat and self.num_convs == 1 and not self.concat_input:
            return self.cls_seg(self._convolve_inputs(inputs, self.convs[0]))
        x = self._transform_inputs(inputs)
        features = run_blocks(self.convs, x, self.recompute_norms) if self.num_convs else x
        return self.classify(x, features)

    def classify(self, x: Tensor, features: Tensor) -> Tensor:
        """Logits [N, out_channels, h, w] of the input [N, in_channels, h, w] and what became of it.

        `features` [N, channels, h, w] is the result of the convolutions.
        """
        if self.concat_input:
            features = convolve_all(self.conv_cat, [x, features], self.fuse_concat)
        return self.cls_seg(features)
