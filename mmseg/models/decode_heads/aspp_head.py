"""Head with parallel dilated convolutions (DeepLabV3)."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.utils.errors import ConfigError

from ..builder import HEADS
from ..utils import check_statistics, convolve_pyramid
from .decode_head import BaseDecodeHead


class ASPPModule(nn.ModuleList):
    """Convolutions of one map: 3 x 3 for each of `dilations`, 1 x 1 for a dilation of 1.

    x: [N, in_channels, h, w] -> a map [N, channels, h, w] for each dilation.
    """

    def __init__(self, dilations: Sequence[int], in_channels: int, channels: int,
                 conv_cfg: dict | None, norm_cfg: dict | None, act_cfg: dict | None) -> None:
        super().__init__()
        layer_cfg = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.extend(self.branch(in_channels, channels, dilation, layer_cfg)
                    for dilation in dilations)

    def branch(self, in_channels: int, channels: int, dilation: int,
               layer_cfg: dict[str, dict | None]) -> nn.Module:
        """[N, in_channels, h, w] -> [N, channels, h, w]."""
        if dilation == 1:
            return ConvModule(in_channels, channels, 1, **layer_cfg)
        return ConvModule(in_channels, channels, 3, padding=dilation, dilation=dilation,
                          **layer_cfg)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [branch(x) for branch in self]


@HEADS.register_module()
class ASPPHead(BaseDecodeHead):
    """Convolutions of several dilations beside the mean of the image (DeepLabV3, arXiv:1706.05587).

    A 3 x 3 convolution for each of `dilations`, 1 x 1 for a dilation of 1; a further convolution
    joins their results. By default the mean is not spread over the map before it;
    `fuse_pyramid=False` does so.
    """

    aspp_module = ASPPModule

    def __init__(self, dilations: Sequence[int] = (1, 6, 12, 18), fuse_pyramid: bool = True,
                 **kwargs: object) -> None:
        super().__init__(**kwargs)
        if not isinstance(dilations, list | tuple) or not dilations or not all(
                isinstance(dilation, int) and dilation >= 1 for dilation in dilations):
            raise ConfigError(f'{type(self).__name__}: dilations={dilations!r} must be a list of '
                              'whole numbers from 1 on, such as (1, 6, 12, 18)')
        self.dilations = dilations
        self.fuse_pyramid = fuse_pyramid
        self.image_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1),
                                        self.conv_module(self.in_channels, self.channels, 1))
        self.aspp_modules = self.aspp_module(dilations, self.in_channels, self.channels,
                                             **self.layer_cfg)
        self.bottleneck = self.conv_module((len(dilations) + 1) * self.channels, self.channels, 3)

    def _aspp(self, x: Tensor) -> Tensor:
        """[N, in_channels, h, w] -> [N, channels, h, w].

        Raises ArgumentError where the norm of the mean would take statistics of one value.
        """
        check_statistics(self.image_pool[1].norm, x.size(0), 1, 'pooling (image_pool)')
        mean = self.image_pool(x)
        branches = torch.cat(self.aspp_modules(x), dim=1)
        return convolve_pyramid(self.bottleneck, branches, [mean], self.align_corners,
                                self.fuse_pyramid, lead=1)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        return self.cls_seg(self._aspp(self._transform_inputs(inputs)))
