"""Head of a feature pyramid on top of pyramid pooling (UPerNet)."""
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import resize

from ..builder import HEADS
from ..utils import PPM, check_pool_scales, convolve_pyramid
from .decode_head import BaseDecodeHead


@HEADS.register_module()
class UPerHead(BaseDecodeHead):
    """Unified perceptual parsing: PSPHead's pooling, then a pyramid (UPerNet, arXiv:1807.10221).

    `in_index` chooses the maps, the largest first. The smallest goes through pyramid pooling; each
    other one is added to the enlarged sum below it and convolved. A convolution joins the results
    at the size of the first map. By default no map is enlarged before the convolutions of
    concatenated maps (see `mmseg.ops.pyramid_conv`); `fuse_pyramid=False` does so.
    """

    def __init__(self, pool_scales: Sequence[int] = (1, 2, 3, 6), fuse_pyramid: bool = True,
                 **kwargs: object) -> None:
        if kwargs.setdefault('input_transform', 'multiple_select') != 'multiple_select':
            raise ConfigError(f"UPerHead: input_transform={kwargs['input_transform']!r} must be "
                              "'multiple_select' or left out")
        super().__init__(**kwargs)
        check_pool_scales(self, pool_scales)
        self.fuse_pyramid = fuse_pyramid
        *others, last = self.in_channels
        self.psp_modules = PPM(pool_scales, last, self.channels,
                               align_corners=self.align_corners, **self.layer_cfg)
        self.bottleneck = self.conv_module(last + len(pool_scales) * self.channels,
                                           self.channels, 3)
        self.lateral_convs = nn.ModuleList(self.conv_module(width, self.channels, 1)
                                           for width in others)
        self.fpn_convs = nn.ModuleList(self.conv_module(self.channels, self.channels, 3)
                                       for _ in others)
        self.fpn_bottleneck = self.conv_module(len(self.in_channels) * self.channels,
                                               self.channels, 3)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        first, *others = self._pyramid(self._transform_inputs(inputs))
        return self.cls_seg(self._join(self.fpn_bottleneck, first, others))

    def _pyramid(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Maps [N, channels, h_i, w_i] of the sizes of the inputs [N, in_channels[i], h_i, w_i]."""
        *others, _ = inputs
        total = self.psp_forward(inputs)
        maps = [total]
        for i in reversed(range(len(others))):
            large = resize(total, others[i].shape[2:], mode='bilinear',
                           align_corners=self.align_corners)
            total = self.lateral_convs[i](others[i]) + large
            maps.insert(0, self.fpn_convs[i](total))
        return maps

    def psp_forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """The smallest map, pooled: [N, in_channels[-1], h, w] -> [N, channels, h, w]."""
        last = inputs[-1]
        return self._join(self.bottleneck, last, self.psp_modules.pool(last))

    def _join(self, block: nn.Module, x: Tensor, maps: Sequence[Tensor]) -> Tensor:
        return convolve_pyramid(block, x, maps, self.align_corners, self.fuse_pyramid)
