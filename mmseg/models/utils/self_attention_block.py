"""Attention of the pixels of one map over those of another."""
import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule, constant_init
from mmcv_replace.cnn.bricks.attend import softmax_attention
from mmcv_replace.cnn.utils.winograd_conv import CONV2D_TYPES
from mmcv_replace.utils.errors import ConfigError

from .conv_blocks import run_blocks


class SelfAttentionBlock(nn.Module):
    """Means of a map's projected pixels, by softmax(query . key) (non-local, arXiv:1711.07971).

    query_feats: [N, query_in_channels, H, W], key_feats: [N, key_in_channels, h, w] ->
    [N, out_channels, H, W], or at the size that `query_downsample` gives the queries.

    Queries and keys have `channels` channels, made by `key_query_num_convs` 1 x 1 convolutions
    (one and the same layers for both where `share_key_query`), with norm and activation where
    `key_query_norm`. `value_out_num_convs` and `value_out_norm` say the same of the values, and of
    the projection of the result, which `with_out` adds; without it the values have `out_channels`.
    `key_downsample` pools keys and values; one that averages says so by an attribute
    `averages = True`. `matmul_norm` divides the products by the root of `channels`.

    `fuse_attention` (the default) gives the same up to rounding with less: no matrix of all pairs
    of pixels, values pooled before they are projected, and the projection of the result applied to
    the values where these are few. `fuse_attention=False` computes step by step. The attribute
    `recompute_norms`: see ResNet.
    """

    recompute_norms = False

    def __init__(
        self, key_in_channels: int, query_in_channels: int, channels: int, out_channels: int,
        share_key_query: bool, query_downsample: nn.Module | None,
        key_downsample: nn.Module | None, key_query_num_convs: int, value_out_num_convs: int,
        key_query_norm: bool, value_out_norm: bool, matmul_norm: bool, with_out: bool,
        conv_cfg: dict | None, norm_cfg: dict | None, act_cfg: dict | None,
        fuse_attention: bool = True,
    ) -> None:
        super().__init__()
        if share_key_query and key_in_channels != query_in_channels:
            raise ConfigError(f'{type(self).__name__}: share_key_query needs as many channels on '
                              f'both sides, but key_in_channels={key_in_channels} and '
                              f'query_in_channels={query_in_channels}: set share_key_query=False')
        for name, number in (('key_query_num_convs', key_query_num_convs),
                             ('value_out_num_convs', value_out_num_convs)):
            if number < 1:
                raise ConfigError(f'{type(self).__name__}: {name}={number} must be 1 or more')
        self.key_in_channels = key_in_channels
        self.query_in_channels = query_in_channels
        self.channels = channels
        self.out_channels = out_channels
        self.share_key_query = share_key_query
        self.conv_cfg = conv_cfg
        self.norm_cfg = norm_cfg
        self.act_cfg = act_cfg
        self.matmul_norm = matmul_norm
        self.fuse_attention = fuse_attention

        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        of_key = dict(num_convs=key_query_num_convs, use_conv_module=key_query_norm, **layers)
        of_value = dict(num_convs=value_out_num_convs, use_conv_module=value_out_norm, **layers)
        self.key_project = self.build_project(key_in_channels, channels, **of_key)
        self.query_project = (self.key_project if share_key_query else
                              self.build_project(query_in_channels, channels, **of_key))
        self.value_project = self.build_project(
            key_in_channels, channels if with_out else out_channels, **of_value)
        self.out_project = (self.build_project(channels, out_channels, **of_value)
                            if with_out else None)
        self.query_downsample = query_downsample
        self.key_downsample = key_downsample
        self.init_weights()

    def init_weights(self) -> None:
        """A projection of the result without norm starts as 0."""
        if isinstance(self.out_project, nn.Conv2d):
            constant_init(self.out_project, 0)

    def build_project(self, in_channels: int, channels: int, num_convs: int,
                      use_conv_module: bool, conv_cfg: dict | None, norm_cfg: dict | None,
                      act_cfg: dict | None) -> nn.Module:
        """1 x 1 convolutions one after another: blocks with these layers, or plain ones."""
        def build(inputs: int) -> nn.Module:
            if not use_conv_module:
                return nn.Conv2d(inputs, channels, 1)
            return ConvModule(inputs, channels, 1, conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                              act_cfg=act_cfg)

        convs = [build(in_channels), *(build(channels) for _ in range(num_convs - 1))]
        return nn.Sequential(*convs) if num_convs > 1 else convs[0]

    def forward(self, query_feats: Tensor, key_feats: Tensor) -> Tensor:
        query = self._project(self.query_project, query_feats)
        if self.query_downsample is not None:
            query = self.query_downsample(query)
        key = self._project(self.key_project, key_feats)
        if self.key_downsample is not None:
            key = self.key_downsample(key)
        value, size = self._values(key_feats), query.shape[2:]
        query, key = query.flatten(2), key.flatten(2)
        if self.out_project is None:
            return self._attend(query, key, value).unflatten(2, size)
        first, *rest = (self.out_project if isinstance(self.out_project, nn.Sequential)
                        else [self.out_project])
        if self._project_first(first, value):
            conv = first.conv if isinstance(first, ConvModule) else first
            # The weights of a mean sum to 1, so that this holds for the bias as well.
            context = self._attend(query, key, conv(value.unsqueeze(3)).flatten(2))
            context = context.unflatten(2, size)
            context = first.after_conv(context) if isinstance(first, ConvModule) else context
        else:
            context = first(self._attend(query, key, value).unflatten(2, size))
        for layer in rest:
            context = layer(context)
        return context

    def _project(self, layers: nn.Module, x: Tensor) -> Tensor:
        if isinstance(layers, nn.Sequential):
            return run_blocks(layers, x, self.recompute_norms)
        return layers(x)

    def _values(self, key_feats: Tensor) -> Tensor:
        """Values [N, D, K]."""
        pool, project = self.key_downsample, self.value_project
        if pool is None:
            return project(key_feats).flatten(2)
        if (self.fuse_attention and getattr(pool, 'averages', False)
                and isinstance(project, nn.Conv2d)):
            return project(pool(key_feats).flatten(2).unsqueeze(3)).flatten(2)
        return pool(project(key_feats)).flatten(2)

    def _project_first(self, layer: nn.Module, value: Tensor) -> bool:
        """Whether to convolve the values [N, D, K], and not their means, by the layer behind."""
        if isinstance(layer, ConvModule):
            known, outputs = layer.is_plain, layer.out_channels
        else:
            known = not (layer._forward_pre_hooks or layer._forward_hooks)
            known, outputs = known and type(layer) in CONV2D_TYPES, self.out_channels
        channels, keys = value.shape[1:]
        return (self.fuse_attention and known and type(keys) is int
                and keys * (outputs - channels) < channels * outputs)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Means [N, D, Q] of the values [N, D, K], for query [N, C, Q] and key [N, C, K]."""
        scale = self.channels**-0.5 if self.matmul_norm else 1.0
        channels, keys = key.shape[1:]
        if self.fuse_attention and not (type(keys) is int and keys <= channels):
            query, key, value = (x.transpose(1, 2) for x in (query, key, value))
            return softmax_attention(query, key, value, scale).transpose(1, 2)
        # Weights of few keys take less memory than the queries. With the keys in the rows nothing
        # has to be transposed in memory.
        weights = torch.bmm((key * scale).transpose(1, 2), query).softmax(1)  # [N, K, Q]
        return torch.bmm(value, weights)
