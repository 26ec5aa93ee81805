"""Head of asymmetric non-local blocks, whose pixels look at pooled maps only."""
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import pyramid_pool, resize

from ..builder import HEADS
from ..utils import SelfAttentionBlock
from .decode_head import BaseDecodeHead

Layers = dict[str, dict | None]


class PPMConcat(nn.Module):
    """Means over s x s cells for each scale s, side by side: [N, C, H, W] -> [N, C, sum s * s]."""

    averages = True

    def __init__(self, pool_scales: Sequence[int]) -> None:
        super().__init__()
        self.pool_scales = tuple(pool_scales)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([part.flatten(2) for part in pyramid_pool(x, self.pool_scales)], dim=2)


class PyramidAttention(SelfAttentionBlock):
    """Attention of pixels, max-pooled by `query_scale`, over the cells of a pyramid of means.

    query_feats: [N, high_in_channels, H, W], key_feats: [N, low_in_channels, h, w] ->
    [N, out_channels, H, W], enlarged again where the queries were pooled.
    """

    def __init__(self, low_in_channels: int, high_in_channels: int, channels: int,
                 out_channels: int, share_key_query: bool, query_scale: int,
                 key_pool_scales: Sequence[int], align_corners: bool, fuse_attention: bool,
                 **layers: dict | None) -> None:
        super().__init__(
            key_in_channels=low_in_channels, query_in_channels=high_in_channels, channels=channels,
            out_channels=out_channels, share_key_query=share_key_query,
            query_downsample=nn.MaxPool2d(query_scale) if query_scale > 1 else None,
            key_downsample=PPMConcat(key_pool_scales), key_query_num_convs=1, key_query_norm=True,
            value_out_num_convs=1, value_out_norm=False, matmul_norm=True, with_out=True,
            fuse_attention=fuse_attention, **layers)
        self.align_corners = align_corners

    def forward(self, query_feats: Tensor, key_feats: Tensor) -> Tensor:
        return self._enlarge(super().forward(query_feats, key_feats), query_feats)

    def convolved(self, query_feats: Tensor, key_feats: Tensor, weight: Tensor) -> Tensor:
        """The 1 x 1 convolution of the result by `weight` [O, out_channels, 1, 1].

        It is computed on the cells, before they are mixed: the weights of a mean sum to 1.
        """
        query, key = self._compared(query_feats, key_feats)
        value = F.conv2d(self.out_project(self._values(key_feats).unsqueeze(3)), weight)
        context = self._attend(query.flatten(2), self.key_downsample(key), value.flatten(2))
        return self._enlarge(context.unflatten(2, query.shape[2:]), query_feats)

    def _compared(self, query_feats: Tensor, key_feats: Tensor) -> tuple[Tensor, Tensor]:
        """Maps of queries, pooled, and of keys, [N, channels, ...]."""
        project = self.key_project
        if query_feats is key_feats and self.query_project is project and project.is_plain:
            before = project.conv(key_feats)
            query = key = project.after_conv(before)
            if self.training:
                # Running statistics take two steps, as where keys and queries are computed apart.
                with torch.no_grad():
                    project.after_conv(before)
        else:
            query, key = self.query_project(query_feats), project(key_feats)
        return query if self.query_downsample is None else self.query_downsample(query), key

    def _enlarge(self, context: Tensor, query_feats: Tensor) -> Tensor:
        if self.query_downsample is None:
            return context
        return resize(context, query_feats.shape[2:], mode='bilinear',
                      align_corners=self.align_corners)


class _NonLocalFusion(nn.Module):
    """A 1 x 1 convolution over the sum of several attentions, concatenated with the queries."""

    def __init__(self, low_in_channels: int, high_in_channels: int, channels: int,
                 context_channels: int, out_channels: int, share_key_query: bool,
                 query_scales: Sequence[int], key_pool_scales: Sequence[int],
                 align_corners: bool, fuse_attention: bool, layers: Layers,
                 act_cfg: dict | None) -> None:
        super().__init__()
        self.fuse_attention = fuse_attention
        self.stages = nn.ModuleList(
            PyramidAttention(low_in_channels, high_in_channels, channels, context_channels,
                             share_key_query, scale, key_pool_scales, align_corners,
                             fuse_attention, **layers)
            for scale in query_scales)
        self.bottleneck = ConvModule(context_channels + high_in_channels, out_channels, 1,
                                     **layers | dict(act_cfg=act_cfg))

    def _fuse(self, query_feats: Tensor, key_feats: Tensor) -> Tensor:
        """[N, out_channels, H, W] of query_feats [N, C, H, W] and key_feats [N, c, h, w]."""
        conv = self.bottleneck.conv
        if not (self.fuse_attention and self.bottleneck.is_plain):
            context = sum(stage(query_feats, key_feats) for stage in self.stages)
            return self.bottleneck(torch.cat([context, query_feats], dim=1))
        of_context, of_queries = conv.weight.split(
            [conv.in_channels - query_feats.shape[1], query_feats.shape[1]], dim=1)
        total = F.conv2d(query_feats, of_queries, conv.bias)
        for stage in self.stages:
            total = total + stage.convolved(query_feats, key_feats, of_context)
        return self.bottleneck.after_conv(total)


class AFNB(_NonLocalFusion):
    """Asymmetric fusion non-local block: pixels of high-level maps look at low-level ones."""

    def __init__(self, low_in_channels: int, high_in_channels: int, channels: int,
                 out_channels: int, query_scales: Sequence[int], key_pool_scales: Sequence[int],
                 align_corners: bool = False, fuse_attention: bool = True,
                 **layers: dict | None) -> None:
        super().__init__(low_in_channels, high_in_channels, channels, out_channels, out_channels,
                         False, query_scales, key_pool_scales, align_corners, fuse_attention,
                         layers, act_cfg=None)

    def forward(self, low_feats: Tensor, high_feats: Tensor) -> Tensor:
        return self._fuse(high_feats, low_feats)


class APNB(_NonLocalFusion):
    """Asymmetric pyramid non-local block: pixels of a map look at its own pyramid."""

    def __init__(self, in_channels: int, channels: int, out_channels: int,
                 query_scales: Sequence[int], key_pool_scales: Sequence[int],
                 align_corners: bool = False, fuse_attention: bool = True,
                 **layers: dict | None) -> None:
        super().__init__(in_channels, in_channels, channels, in_channels, out_channels, True,
                         query_scales, key_pool_scales, align_corners, fuse_attention, layers,
                         act_cfg=layers['act_cfg'])

    def forward(self, feats: Tensor) -> Tensor:
        return self._fuse(feats, feats)


@HEADS.register_module()
class ANNHead(BaseDecodeHead):
    """Attention over pooled maps, of a lower stage and then of itself (ANN, arXiv:1908.07678).

    `in_index` chooses the low-level map and the high-level one. Pixels and the cells of
    `key_pool_scales` are compared by `project_channels` channels, once for each of `query_scales`,
    by which the pixels are max-pooled before; the results are enlarged and summed.

    By default the convolutions of the attention's result are computed on the few cells, and
    nothing is concatenated; `fuse_attention=False` computes step by step.
    """

    def __init__(self, project_channels: int, query_scales: Sequence[int] = (1,),
                 key_pool_scales: Sequence[int] = (1, 3, 6, 8), fuse_attention: bool = True,
                 **kwargs: object) -> None:
        if kwargs.setdefault('input_transform', 'multiple_select') != 'multiple_select':
            raise ConfigError(f"ANNHead: input_transform={kwargs['input_transform']!r} must be "
                              "'multiple_select' or left out")
        super().__init__(**kwargs)
        self._check(project_channels, query_scales, key_pool_scales)
        self.project_channels = project_channels
        self.query_scales = query_scales
        self.key_pool_scales = key_pool_scales
        self.fuse_attention = fuse_attention
        low, high = self.in_channels
        options = dict(channels=project_channels, query_scales=query_scales,
                       key_pool_scales=key_pool_scales, align_corners=self.align_corners,
                       fuse_attention=fuse_attention, **self.layer_cfg)
        self.fusion = AFNB(low, high, out_channels=high, **options)
        self.bottleneck = self.conv_module(high, self.channels, 3)
        self.context = APNB(self.channels, out_channels=self.channels, **options)

    def _check(self, project_channels: int, query_scales: Sequence[int],
               key_pool_scales: Sequence[int]) -> None:
        if len(self.in_channels) != 2:
            raise ConfigError(f'ANNHead: in_channels={self.in_channels} and in_index='
                              f'{self.in_index} must be two: of the low-level map and of the '
                              'high-level one')
        if project_channels < 1:
            raise ConfigError(f'ANNHead: project_channels={project_channels} must be 1 or more')
        for name, scales in (('query_scales', query_scales), ('key_pool_scales', key_pool_scales)):
            if not scales or not all(isinstance(scale, int) and scale >= 1 for scale in scales):
                raise ConfigError(f'ANNHead: {name}={scales!r} must be a list of sizes from 1 on, '
                                  'such as (1, 3, 6, 8)')

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        low, high = self._transform_inputs(inputs)
        x = self.fusion(low, high)
        if self.dropout is not None:
            x = self.dropout(x)
        return self.cls_seg(self.context(self.bottleneck(x)))
