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
    """Pyramid pooling: means over s x s cells for each scale s, projected and enlarged again.

    x: [N, in_channels, h, w] -> a map [N, channels, h, w] for each scale.
    """

    def __init__(self, pool_scales: Sequence[int], in_channels: int, channels: int,
                 conv_cfg: dict | None, norm_cfg: dict | None, act_cfg: dict | None,
                 align_corners: bool) -> None:
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
        """Convolve the pooled maps: [N, in_channels, s, s] -> [N, channels, s, s] for each scale.

        Raises ArgumentError where a batch norm in training would see one value per channel.
        """
        maps = []
        for i, (scale, part) in enumerate(zip(self.pool_scales, pooled, strict=True)):
            _, project = self[i]
            check_batch_statistics(project.norm, part.size(0) * scale * scale,
                                   f'pyramid pooling (psp_modules.{i}, pool scale {scale})')
            maps.append(project(part))
        return maps


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
        if not isinstance(pool_scales, list | tuple) or not pool_scales or not all(
                isinstance(scale, int) and scale >= 1 for scale in pool_scales):
            raise ConfigError(f'PSPHead: pool_scales={pool_scales!r} must be a list of sizes, '
                              'such as (1, 2, 3, 6)')
        self.pool_scales = pool_scales
        self.fuse_pyramid = fuse_pyramid
        self.psp_modules = PPM(pool_scales, self.in_channels, self.channels,
                               align_corners=self.align_corners, **self.layer_cfg)
        self.bottleneck = self.conv_module(self.in_channels + len(pool_scales) * self.channels,
                                           self.channels, 3)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        if self.fuse_pyramid and self.bottleneck.is_plain:
            return self.cls_seg(self._fused(x))
        return self.cls_seg(self.bottleneck(torch.cat([x, *self.psp_modules(x)], dim=1)))

    def _fused(self, x: Tensor) -> Tensor:
        """Output of the bottleneck, [N, channels, h, w], without the concatenation."""
        maps = self.psp_modules.project(pyramid_pool(x, tuple(self.pool_scales)))
        conv = self.bottleneck.conv
        return self.bottleneck.after_conv(
            pyramid_conv(x, maps, conv.weight, conv.bias, self.align_corners, conv._conv_forward))
