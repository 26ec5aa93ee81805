"""Adaptive pyramid context head."""
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import pyramid_pool

from ..builder import HEADS
from ..utils import check_statistics, convolve_all
from .decode_head import BaseDecodeHead


class ACM(nn.Module):
    """Adaptive context: each pixel sums means over s x s cells, by weights learned from the image.

    x: [N, in_channels, h, w] and its means [N, in_channels, s, s] -> [N, channels, h, w].
    `fuse`: project the means before they are summed for each pixel, not the sums.
    """

    def __init__(self, pool_scale: int, fusion: bool, in_channels: int, channels: int, fuse: bool,
                 layer_cfg: dict[str, dict | None]) -> None:
        super().__init__()
        self.pool_scale = pool_scale
        self.fusion = fusion
        self.fuse = fuse
        self.pooled_redu_conv = ConvModule(in_channels, channels, 1, **layer_cfg)
        self.input_redu_conv = ConvModule(in_channels, channels, 1, **layer_cfg)
        self.global_info = ConvModule(channels, channels, 1, **layer_cfg)
        self.gla = nn.Conv2d(channels, pool_scale ** 2, 1)
        self.residual_conv = ConvModule(channels, channels, 1, **layer_cfg)
        if fusion:
            self.fusion_conv = ConvModule(channels, channels, 1, **layer_cfg)

    def forward(self, x: Tensor, pooled: Tensor) -> Tensor:
        place = f'adaptive context (pool scale {self.pool_scale})'
        check_statistics(self.global_info.norm, x.size(0), 1, f'{place}, global_info')
        check_statistics(self.pooled_redu_conv.norm, x.size(0), self.pool_scale ** 2,
                         f'{place}, pooled_redu_conv')
        x = self.input_redu_conv(x)
        cells = self.pooled_redu_conv(pooled).flatten(2)  # [N, channels, s * s]
        out = self._add_context(x, cells, self._affinity(x).flatten(2))
        return self.fusion_conv(out) if self.fusion else out

    def _affinity(self, x: Tensor) -> Tensor:
        """Weights of the cells for each pixel, between 0 and 1: [N, s * s, h, w]."""
        whole = self.global_info(x.mean((2, 3), keepdim=True))
        if not self.fuse:
            return self.gla(x + whole).sigmoid()
        # The layer is linear, so that the part of the whole image is one value a cell.
        return (self.gla(x) + F.conv2d(whole, self.gla.weight)).sigmoid()

    def _add_context(self, x: Tensor, cells: Tensor, weights: Tensor) -> Tensor:
        """relu(x + residual_conv(context)).

        cells: [N, channels, s * s], weights: [N, s * s, h * w].
        """
        conv = self.residual_conv.conv
        if not (self.fuse and self.residual_conv.is_plain):
            return F.relu_(self.residual_conv((cells @ weights).view(x.shape)) + x)
        context = (conv.weight.flatten(1) @ cells @ weights).view(x.shape)
        if conv.bias is not None:
            context = context + conv.bias.view(-1, 1, 1)
        return F.relu_(self.residual_conv.after_conv(context) + x)


@HEADS.register_module()
class APCHead(BaseDecodeHead):
    """Adaptive contexts of several scales beside the input (APCNet, CVPR 2019).

    `pool_scales`: numbers of cells a side; `fusion`: a further convolution of each context. By
    default (`fuse_pyramid`) the means over cells are projected before they are spread over the
    pixels, and nothing is concatenated for the last convolution, with the same result.
    """

    def __init__(self, pool_scales: Sequence[int] = (1, 2, 3, 6), fusion: bool = True,
                 fuse_pyramid: bool = True, **kwargs: object) -> None:
        super().__init__(**kwargs)
        if not isinstance(pool_scales, list | tuple) or not pool_scales or not all(
                isinstance(scale, int) and scale >= 1 for scale in pool_scales):
            raise ConfigError(f'APCHead: pool_scales={pool_scales!r} must be a list of sizes, '
                              'such as (1, 2, 3, 6)')
        self.pool_scales = pool_scales
        self.fusion = fusion
        self.fuse_pyramid = fuse_pyramid
        self.acm_modules = nn.ModuleList(
            ACM(scale, fusion, self.in_channels, self.channels, fuse_pyramid, self.layer_cfg)
            for scale in pool_scales)
        self.bottleneck = self.conv_module(self.in_channels + len(pool_scales) * self.channels,
                                           self.channels, 3)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        pooled = pyramid_pool(x, tuple(self.pool_scales)) if self.fuse_pyramid else [
            F.adaptive_avg_pool2d(x, scale) for scale in self.pool_scales]
        contexts = [module(x, part)
                    for module, part in zip(self.acm_modules, pooled, strict=True)]
        return self.cls_seg(convolve_all(self.bottleneck, [x, *contexts], self.fuse_pyramid))
