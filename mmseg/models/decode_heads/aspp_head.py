"""Head with parallel dilated convolutions (DeepLabV3)."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError

from ..builder import HEADS
from ..utils import check_statistics, convolve_pyramid
from .decode_head import BaseDecodeHead


@HEADS.register_module()
class ASPPHead(BaseDecodeHead):
    """Convolutions of several dilations beside the mean of the image (DeepLabV3, arXiv:1706.05587).

    A 3 x 3 convolution for each of `dilations`, 1 x 1 for a dilation of 1; a further convolution
    joins their results. By default the mean is not spread over the map before it;
    `fuse_pyramid=False` does so.
    """

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
        self.aspp_modules = nn.ModuleList(map(self._branch, dilations))
        self.bottleneck = self.conv_module((len(dilations) + 1) * self.channels, self.channels, 3)

    def _branch(self, dilation: int) -> nn.Module:
        """[N, in_channels, h, w] -> [N, channels, h, w]."""
        return self.conv_module(self.in_channels, self.channels, 1 if dilation == 1 else 3,
                                dilation)

    def _aspp(self, x: Tensor) -> Tensor:
        """[N, in_channels, h, w] -> [N, channels, h, w].

        Raises ArgumentError where the norm of the mean would take statistics of one value.
        """
        check_statistics(self.image_pool[1].norm, x.size(0), 1, 'pooling (image_pool)')
        mean = self.image_pool(x)
        branches = torch.cat([branch(x) for branch in self.aspp_modules], dim=1)
        return convolve_pyramid(self.bottleneck, branches, [mean], self.align_corners,
                                self.fuse_pyramid, lead=1)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        return self.cls_seg(self._aspp(self._transform_inputs(inputs)))
