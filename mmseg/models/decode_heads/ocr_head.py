"""Object-contextual representations."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import resize

from ..builder import HEADS
from ..utils import SelfAttentionBlock, check_statistics
from ..utils.conv_blocks import conv_of_parts
from .cascade_decode_head import BaseCascadeDecodeHead


class SpatialGatherModule(nn.Module):
    """Mean features of each class, over all pixels by softmax(scale * logits).

    feats: [N, C, H, W], probs: logits [N, K, H, W] -> [N, C, K, 1].
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, feats: Tensor, probs: Tensor) -> Tensor:
        weights = (self.scale * probs.flatten(2)).softmax(2)
        return (feats.flatten(2) @ weights.transpose(1, 2)).unsqueeze(3)


class ObjectAttentionBlock(SelfAttentionBlock):
    """Pixels look at the features of the classes, and see them beside their own.

    query_feats: [N, in_channels, H, W], key_feats: [N, in_channels, K, 1] ->
    [N, in_channels, H, W]. With `scale` > 1 the maxima of scale x scale pixels look, and what they
    see is enlarged again.
    """

    def __init__(self, in_channels: int, channels: int, scale: int, conv_cfg: dict | None,
                 norm_cfg: dict | None, act_cfg: dict | None, fuse_attention: bool = True,
                 align_corners: bool = False) -> None:
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        super().__init__(
            in_channels, in_channels, channels, in_channels, share_key_query=False,
            query_downsample=nn.MaxPool2d(scale) if scale > 1 else None, key_downsample=None,
            key_query_num_convs=2, value_out_num_convs=1, key_query_norm=True,
            value_out_norm=True, matmul_norm=True, with_out=True, **layers,
            fuse_attention=fuse_attention)
        self.scale = scale
        self.align_corners = align_corners
        self.bottleneck = ConvModule(2 * in_channels, in_channels, 1, **layers)

    def forward(self, query_feats: Tensor, key_feats: Tensor) -> Tensor:
        if min(query_feats.shape[2:]) < self.scale:
            raise ConfigError(f'OCRHead: scale={self.scale} joins that many pixels a side, but its '
                              f'maps have the size {tuple(query_feats.shape[2:])}: lower it, or '
                              'use larger images')
        context = super().forward(query_feats, key_feats)
        if self.query_downsample is not None:
            context = resize(context, query_feats.shape[2:], mode='bilinear',
                             align_corners=self.align_corners)
        if not (self.fuse_attention and self.bottleneck.is_plain):
            return self.bottleneck(torch.cat([context, query_feats], dim=1))
        return self.bottleneck.after_conv(
            conv_of_parts(self.bottleneck, [context, query_feats]))


@HEADS.register_module()
class OCRHead(BaseCascadeDecodeHead):
    """Pixels with the features of the classes that the head before found (arXiv:1909.11065).

    `ocr_channels`: channels in which pixels and classes are compared. `scale`: see
    SpatialGatherModule and ObjectAttentionBlock. `fuse_attention`: see SelfAttentionBlock; it also
    spares the concatenation of both kinds of features. `fuse_pyramid` convolves the maps of
    'resize_concat' by `mmseg.ops.resize_conv`.
    """

    def __init__(self, ocr_channels: int, scale: int = 1, fuse_attention: bool = True,
                 fuse_pyramid: bool = True, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name, value in (('ocr_channels', ocr_channels), ('scale', scale)):
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f'OCRHead: {name}={value!r} must be a whole number from 1 on')
        self.ocr_channels = ocr_channels
        self.scale = scale
        self.fuse_attention = fuse_attention
        self.fuse_pyramid = fuse_pyramid
        self.object_context_block = ObjectAttentionBlock(
            self.channels, ocr_channels, scale, **self.layer_cfg, fuse_attention=fuse_attention,
            align_corners=self.align_corners)
        self.spatial_gather_module = SpatialGatherModule(scale)
        self.bottleneck = self.conv_module(self.in_channels, self.channels, 3)

    def forward(self, inputs: Sequence[Tensor], prev_output: Tensor) -> Tensor:
        feats = (self._convolve_inputs(inputs, self.bottleneck) if self.fuse_pyramid
                 else self.bottleneck(self._transform_inputs(inputs)))
        if prev_output.shape[2:] != feats.shape[2:]:
            raise ConfigError(
                f'OCRHead: its maps have the size {tuple(feats.shape[2:])} and the logits of the '
                f'head before it {tuple(prev_output.shape[2:])}: choose maps of one stride by '
                'in_index in both heads')
        context = self.spatial_gather_module(feats, prev_output)
        check_statistics(self.object_context_block.value_project.norm,
                         context.size(0), context.size(2), 'OCRHead (features of classes)')
        return self.cls_seg(self.object_context_block(feats, context))
