"""Pyramid pooling, and a convolution block over maps that are concatenated after enlarging."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import pyramid_conv, pyramid_pool, resize

from .batch_statistics import check_statistics


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

    def pool(self, x: Tensor) -> list[Tensor]:
        """The maps [N, channels, s, s], not enlarged; x is read once for all scales."""
        return self.project(pyramid_pool(x, self.pool_scales))

    def project(self, pooled: Sequence[Tensor]) -> list[Tensor]:
        """Convolve the pooled maps: [N, in_channels, s, s] -> [N, channels, s, s] for each scale.

        Raises ArgumentError where a norm would take statistics of one value per channel.
        """
        maps = []
        for i, (scale, part) in enumerate(zip(self.pool_scales, pooled, strict=True)):
            _, project = self[i]
            check_statistics(project.norm, part.size(0), scale * scale,
                             f'pyramid pooling (psp_modules.{i}, pool scale {scale})')
            maps.append(project(part))
        return maps


def check_pool_scales(owner: nn.Module, pool_scales: Sequence[int]) -> None:
    """Raise ConfigError for pool scales of the head `owner` that are no sizes."""
    if not isinstance(pool_scales, list | tuple) or not pool_scales or not all(
            isinstance(scale, int) and scale >= 1 for scale in pool_scales):
        raise ConfigError(f'{type(owner).__name__}: pool_scales={pool_scales!r} must be a list of '
                          'sizes, such as (1, 2, 3, 6)')


def convolve_pyramid(block: ConvModule, x: Tensor, maps: Sequence[Tensor], align_corners: bool,
                     fuse: bool = True, lead: int = 0) -> Tensor:
    """`block`, a 3 x 3 convolution, of x concatenated with the maps enlarged to its size.

    x: [N, C, h, w], maps: [N, C_i, s_i, t_i] -> [N, out_channels, h, w]. The first `lead` maps
    come before x. With `fuse` the maps are neither enlarged nor concatenated, unless `block` is of
    a kind for which that is not known.
    """
    if fuse and block.is_plain:
        conv = block.conv
        return block.after_conv(pyramid_conv(x, list(maps), conv.weight, conv.bias, align_corners,
                                             conv._conv_forward, lead))
    large = [resize(part, x.shape[2:], mode='bilinear', align_corners=align_corners)
             for part in maps]
    large.insert(lead, x)
    return block(torch.cat(large, dim=1))
