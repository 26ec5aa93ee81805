"""Pyramid scene parsing head."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import pyramid_conv, pyramid_pool, resize

from ..builder import HEADS
from ..utils import check_batch_statistics
from .decode_head import BaseDecodeHead


class PPM(nn.ModuleList):
    """Pyramid pooling: averages over s x s cells for each scale s, projected and enlarged again.

    x: [N, in_channels, h, w] -> as many maps [N, channels, h, w] as there are scales.
    """

    def __init__(
        self,
        pool_scales: Sequence[int],
        in_channels: int,
        channels: int,
        conv_cfg: dict | None,
        norm_cfg: dict | None,
        act_cfg: dict | None,
        align_corners: bool,
    ) -> None:
        super().__init__(
            nn.Sequential(
                nn.AdaptiveAvgPool2d(scale),
                ConvModule(in_channels, channels, 1, conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                           act_cfg=act_cfg))
            for scale in pool_scales)
        self.pool_scales = tuple(pool_scales)
        self.align_corners = align_corners

    def forward(self, x: Tensor) -> list[Tensor]:
        pooled = [pool(x) for pool, _ in self]
        return [resize(part, x.shape[2:], mode='bilinear', align_corners=self.align_corners)
                for part in self.project(pooled)]

    def project(self, pooled: Sequence[Tensor]) -> list[Tensor]:
        """The pooled maps [N, in_channels, s, s] -> [N, channels, s, s]."""
        maps = []
        for i, (scale, part) in enumerate(zip(self.pool_scales, pooled, strict=True)):
            _, project = self[i]
            check_batch_statistics(project.norm, part.size(0) * scale * scale,
                                   f'pyramid pooling (psp_modules.{i}, pool scale {scale})')
            maps.append(project(part))
        return maps


@HEADS.register_module()
class PSPHead(BaseDecodeHead):
    """Pyramid pooling beside its input, fused by one convolution (PSPNet, arXiv:1612.01105).

    The enlarged maps are not made: the convolution takes them as the few values that they are
    (`mmseg.ops.pyramid_conv`), with half of the arithmetic. The result is the same up to rounding;
    `fuse_pyramid=False` concatenates and convolves.
    """

    def __init__(self, pool_scales: Sequence[int] = (1, 2, 3, 6), fuse_pyramid: bool = True,
                 **kwargs: object) -> None:
        super().__init__(**kwargs)
        if not isinstance(pool_scales, list | tuple) or not pool_scales or not all(
                isinstance(scale, int) and scale >= 1 for scale in pool_scales):
            raise ConfigError(f'PSPHead: pool_scales={pool_scales!r} must be a list of sizes, '
                              'such as (1, 2, 3, 6)')
        self.pool_scales = pool_scales
        self.fuse_pyramid = fuse_pyramid
        layer = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.psp_modules = PPM(pool_scales, self.in_channels, self.channels,
                               align_corners=self.align_corners, **layer)
        self.bottleneck = ConvModule(self.in_channels + len(pool_scales) * self.channels,
                                     self.channels, 3, padding=1, **layer)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        if self.fuse_pyramid and self.bottleneck.is_plain:
            return self.cls_seg(self._fused(x))
        return self.cls_seg(self.bottleneck(torch.cat([x, *self.psp_modules(x)], dim=1)))

    def _fused(self, x: Tensor) -> Tensor:
        """The bottleneck's output without the concatenation."""
        maps = self.psp_modules.project(pyramid_pool(x, tuple(self.pool_scales)))
        conv = self.bottleneck.conv
        return self.bottleneck.after_conv(
            pyramid_conv(x, maps, conv.weight, conv.bias, self.align_corners, conv._conv_forward))
