"""Head with parallel depthwise dilated convolutions and a decoder (DeepLabV3+)."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import DepthwiseSeparableConvModule
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import resize

from ..builder import HEADS
from .aspp_head import ASPPHead, ASPPModule


class DepthwiseSeparableASPPModule(ASPPModule):
    """ASPPModule whose 3 x 3 convolutions are depthwise separable."""

    def branch(self, in_channels: int, channels: int, dilation: int,
               layer_cfg: dict[str, dict | None]) -> nn.Module:
        if dilation == 1:
            return super().branch(in_channels, channels, dilation, layer_cfg)
        return DepthwiseSeparableConvModule(in_channels, channels, 3, padding=dilation,
                                            dilation=dilation, **layer_cfg)


@HEADS.register_module()
class DepthwiseSeparableASPPHead(ASPPHead):
    """ASPP of depthwise separable convolutions and a decoder (DeepLabV3+, arXiv:1802.02611).

    The result of ASPPHead is enlarged to the first map of the backbone, of `c1_in_channels`, which
    a 1 x 1 convolution reduces to `c1_channels`; two separable convolutions follow. Without that
    map, `c1_in_channels=0, c1_channels=0`, nothing is enlarged.
    """

    aspp_module = DepthwiseSeparableASPPModule

    def __init__(self, c1_in_channels: int, c1_channels: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if not (c1_in_channels > 0 and c1_channels > 0 or c1_in_channels == c1_channels == 0):
            raise ConfigError(f'{type(self).__name__}: c1_in_channels={c1_in_channels} and '
                              f'c1_channels={c1_channels} must both be 1 or more, or both 0, '
                              'which leaves the first map of the backbone out')
        self.c1_in_channels = c1_in_channels
        self.c1_bottleneck = None if c1_in_channels == 0 else self.conv_module(
            c1_in_channels, c1_channels, 1)
        self.sep_bottleneck = nn.Sequential(self._separable(self.channels + c1_channels),
                                            self._separable(self.channels))

    def _separable(self, in_channels: int) -> DepthwiseSeparableConvModule:
        return DepthwiseSeparableConvModule(in_channels, self.channels, 3, padding=1,
                                            **self.layer_cfg)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._aspp(self._transform_inputs(inputs))
        if self.c1_bottleneck is not None:
            fine = self.c1_bottleneck(self._first_map(inputs))
            x = torch.cat([resize(x, fine.shape[2:], mode='bilinear',
                                  align_corners=self.align_corners), fine], dim=1)
        return self.cls_seg(self.sep_bottleneck(x))

    def _first_map(self, inputs: Sequence[Tensor]) -> Tensor:
        if inputs[0].size(1) != self.c1_in_channels:
            raise ConfigError(f'{type(self).__name__}: c1_in_channels={self.c1_in_channels}, but '
                              f'the first map of the backbone has {inputs[0].size(1)} channels')
        return inputs[0]
