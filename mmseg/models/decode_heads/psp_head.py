"""Pyramid scene parsing head."""
from collections.abc import Sequence

from torch import Tensor

from ..builder import HEADS
from ..utils import PPM, check_pool_scales, convolve_pyramid
from .decode_head import BaseDecodeHead


@HEADS.register_module()
class PSPHead(BaseDecodeHead):
    """Pyramid pooling concatenated with its input, then a convolution (PSPNet, arXiv:1612.01105).

    By default the pooled maps are neither enlarged nor concatenated: `mmseg.ops.pyramid_conv`
    convolves them at their small size, with half of the arithmetic and the same result up to
    rounding. `fuse_pyramid=False` concatenates and convolves.
    """

    def __init__(self, pool_scales: Sequence[int] = (1, 2, 3, 6), fuse_pyramid: bool = True,
                 **kwargs: object) -> None:
        super().__init__(**kwargs)
        check_pool_scales(self, pool_scales)
        self.pool_scales = pool_scales
        self.fuse_pyramid = fuse_pyramid
        self.psp_modules = PPM(pool_scales, self.in_channels, self.channels,
                               align_corners=self.align_corners, **self.layer_cfg)
        self.bottleneck = self.conv_module(self.in_channels + len(pool_scales) * self.channels,
                                           self.channels, 3)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        return self.cls_seg(convolve_pyramid(self.bottleneck, x, self.psp_modules.pool(x),
                                             self.align_corners, self.fuse_pyramid))
