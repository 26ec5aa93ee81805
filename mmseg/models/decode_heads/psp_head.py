"""Pyramid scene parsing head."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import resize

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
        maps = []
        for i, (scale, (pool, project)) in enumerate(zip(self.pool_scales, self, strict=True)):
            check_batch_statistics(project.norm, x.size(0) * scale * scale,
                                   f'pyramid pooling (psp_modules.{i}, pool scale {scale})')
            maps.append(resize(project(pool(x)), x.shape[2:], mode='bilinear',
                               align_corners=self.align_corners))
        return maps


@HEADS.register_module()
class PSPHead(BaseDecodeHead):
    """Pyramid pooling beside its input, fused by one convolution (PSPNet, arXiv:1612.01105)."""

    def __init__(self, pool_scales: Sequence[int] = (1, 2, 3, 6), **kwargs: object) -> None:
        super().__init__(**kwargs)
        if not isinstance(pool_scales, list | tuple) or not pool_scales:
            raise ConfigError(f'PSPHead: pool_scales={pool_scales!r} must be a list of sizes, '
                              'such as (1, 2, 3, 6)')
        self.pool_scales = pool_scales
        layer = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.psp_modules = PPM(pool_scales, self.in_channels, self.channels,
                               align_corners=self.align_corners, **layer)
        self.bottleneck = ConvModule(self.in_channels + len(pool_scales) * self.channels,
                                     self.channels, 3, padding=1, **layer)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        return self.cls_seg(self.bottleneck(torch.cat([x, *self.psp_modules(x)], dim=1)))
