"""The lightweight head of MobileNetV3."""
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import resize

from ..builder import HEADS
from .decode_head import BaseDecodeHead

WINDOW, STRIDES = 49, (16, 20)


@HEADS.register_module()
class LRASPPHead(BaseDecodeHead):
    """Lite reduced atrous spatial pyramid pooling (MobileNetV3, arXiv:1905.02244).

    The last map is weighted by means over windows of 49 x 49 pixels (over all pixels where the map
    is smaller), then enlarged and joined with each map before it. `branch_channels`: those of the
    maps before the last, which `in_index` names from large to small;
    input_transform='multiple_select'.
    By default each map is convolved before it is enlarged, and nothing is concatenated, with the
    same result up to rounding; `fuse_pyramid=False` enlarges, concatenates and convolves.
    """

    def __init__(self, branch_channels: Sequence[int] = (32, 64), fuse_pyramid: bool = True,
                 **kwargs: object) -> None:
        super().__init__(**kwargs)
        if self.input_transform != 'multiple_select':
            raise ConfigError("LRASPPHead needs several maps: set input_transform='multiple_select'"
                              f' instead of {self.input_transform!r}')
        if len(branch_channels) != len(self.in_channels) - 1:
            raise ConfigError(f'LRASPPHead: branch_channels={branch_channels} must have a number '
                              f'for each map before the last of in_channels={self.in_channels}')
        self.branch_channels = branch_channels
        self.fuse_pyramid = fuse_pyramid
        self.convs = nn.Sequential()
        self.conv_ups = nn.Sequential()
        for i, branch in enumerate(branch_channels):
            self.convs.add_module(f'conv{i}', nn.Conv2d(self.in_channels[i], branch, 1, bias=False))
            self.conv_ups.add_module(f'conv_up{i}', self.conv_module(
                self.channels + branch, self.channels, 1, bias=False))
        self.conv_up_input = nn.Conv2d(self.channels, self.channels, 1)
        self.aspp_conv = self.conv_module(self.in_channels[-1], self.channels, 1, bias=False)
        self.image_pool = nn.Sequential(
            nn.AvgPool2d(WINDOW, STRIDES),
            ConvModule(self.in_channels[-1], self.channels, 1, bias=False, conv_cfg=self.conv_cfg,
                       act_cfg=dict(type='Sigmoid')))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        maps = self._transform_inputs(inputs)
        x = self._weighted(maps[-1])
        for i in reversed(range(len(self.branch_channels))):
            x = self._join(i, x, maps[i])
        return self.cls_seg(x)

    def _resize(self, x: Tensor, like: Tensor) -> Tensor:
        return resize(x, like.shape[2:], mode='bilinear', align_corners=self.align_corners)

    def _weighted(self, x: Tensor) -> Tensor:
        """[N, in_channels[-1], h, w] -> [N, channels, h, w]."""
        window = tuple(min(WINDOW, side) for side in x.shape[2:])
        weights = self.image_pool[1](F.avg_pool2d(x, window, STRIDES))
        return self.conv_up_input(self.aspp_conv(x) * self._resize(weights, x))

    def _join(self, i: int, x: Tensor, finer: Tensor) -> Tensor:
        """Join x [N, channels, h, w] with the finer map i: -> [N, channels, H, W]."""
        conv, conv_up = self.convs[i], self.conv_ups[i]
        if not (self.fuse_pyramid and conv_up.is_plain):
            x = torch.cat([self._resize(x, finer), conv(finer)], dim=1)
            return conv_up(x)
        # Convolutions of single pixels and enlarging are linear, and the weights of the former sum
        # to nothing new: x is convolved while it is small, and both convolutions of the finer map
        # are one.
        coarse, fine = conv_up.conv.weight.split([self.channels, conv.out_channels], dim=1)
        both = (fine.flatten(1) @ conv.weight.flatten(1)).unflatten(1, (-1, 1, 1))
        return conv_up.after_conv(F.conv2d(finer, both, conv_up.conv.bias)
                                  + self._resize(F.conv2d(x, coarse), finer))
