"""Attention by content and by relative position (arXiv:1904.05873)."""
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmcv_replace.utils.errors import ConfigError

from ..utils.layer_init import caffe2_xavier_init
from .registry import PLUGIN_LAYERS
from .relative_position import embed_distances, too_far

# Energies [N, heads, positions of queries, positions of keys] in memory at a time.
_LARGEST = 2**25
# in_channels -> the largest side of a map for which published weights hold the `spatial_range`.
_LARGEST_SIDE = {256: 84, 512: 42}
_KEYS_ALONE = [False, False, True, False]


@PLUGIN_LAYERS.register_module()
class GeneralizedAttention(nn.Module):
    """x + gamma * proj_conv(attention), whose energies are the sum of up to four terms.

    `attention_type` switches them on: query with key, query with relative position, key alone,
    relative position alone. Queries come from every `q_stride`-th pixel, keys and values from every
    `kv_stride`-th. `spatial_range` >= 0 limits the distance, for 256 or 512 channels only.
    `position_embedding_dim`: number of sines and cosines of the distance (-1: in_channels), which
    is counted in pixels times `position_magnitude`. x: [N, in_channels, H, W] -> the same shape.
    Large maps are computed in rows of queries, so that not all energies are in memory. Raises
    ConfigError for other values.
    """

    _abbr_ = 'gen_attention_block'

    def __init__(self, in_channels: int, spatial_range: int = -1, num_heads: int = 9,
                 position_embedding_dim: int = -1, position_magnitude: int = 1,
                 kv_stride: int = 2, q_stride: int = 1, attention_type: str = '1111') -> None:
        super().__init__()
        if (len(attention_type) != 4 or not set(attention_type) <= set('01')
                or '1' not in attention_type):
            raise ConfigError(f'GeneralizedAttention: attention_type={attention_type!r} must be '
                              "four of 0 and 1, with a 1, such as '1111'")
        if spatial_range >= 0 and in_channels not in _LARGEST_SIDE:
            raise ConfigError(f'GeneralizedAttention: spatial_range={spatial_range} needs 256 or '
                              f'512 channels, not in_channels={in_channels}')
        self.position_embedding_dim = (position_embedding_dim if position_embedding_dim > 0
                                       else in_channels)
        if self.position_embedding_dim % 4 and '1' in attention_type[1::2]:
            raise ConfigError('GeneralizedAttention: position_embedding_dim='
                              f'{self.position_embedding_dim} must be divisible by 4, for sines '
                              'and cosines in two directions')
        self.position_magnitude = position_magnitude
        self.num_heads = num_heads
        self.in_channels = in_channels
        self.spatial_range = spatial_range
        self.kv_stride = kv_stride
        self.q_stride = q_stride
        self.attention_type = [bit == '1' for bit in attention_type]
        self.qk_embed_dim = self.v_dim = in_channels // num_heads
        self._add_layers(self.qk_embed_dim * num_heads)
        if spatial_range >= 0:
            far = too_far(_LARGEST_SIDE[in_channels], spatial_range, kv_stride)
            self.local_constraint_map = nn.Parameter(far, requires_grad=False)
        self.q_downsample = nn.AvgPool2d(1, stride=q_stride) if q_stride > 1 else None
        self.kv_downsample = nn.AvgPool2d(1, stride=kv_stride) if kv_stride > 1 else None
        self.init_weights()

    def _add_layers(self, inner: int) -> None:
        of_pair, of_place, of_key, of_distance = self.attention_type
        if of_pair or of_place:
            self.query_conv = nn.Conv2d(self.in_channels, inner, 1, bias=False)
        if of_pair or of_key:
            self.key_conv = nn.Conv2d(self.in_channels, inner, 1, bias=False)
        self.value_conv = nn.Conv2d(self.in_channels, inner, 1, bias=False)
        if of_place or of_distance:
            for name in ('appr_geom_fc_x', 'appr_geom_fc_y'):
                setattr(self, name, nn.Linear(self.position_embedding_dim // 2, inner, bias=False))
        limit = 1 / math.sqrt(2 * self.qk_embed_dim)
        if of_key:
            self.appr_bias = nn.Parameter(limit - 2 * limit * torch.rand(inner))
        if of_distance:
            self.geom_bias = nn.Parameter(limit - 2 * limit * torch.rand(inner))
        self.proj_conv = nn.Conv2d(inner, self.in_channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def init_weights(self) -> None:
        """Uniform weights of variance 1 / fan_in; gamma stays 0, so that x is not changed."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                caffe2_xavier_init(layer)

    def get_position_embedding(self, h: int, w: int, h_kv: int, w_kv: int, q_stride: int,
                               kv_stride: int, device: torch.device, dtype: torch.dtype,
                               feat_dim: int, wave_length: int = 1000
                               ) -> tuple[Tensor, Tensor]:
        """Sines and cosines of the distances: [w, w_kv, feat_dim / 2], [h, h_kv, feat_dim / 2]."""
        return tuple(
            embed_distances(queries, keys, q_stride, kv_stride, self.position_magnitude,
                            feat_dim // 4, wave_length, device, dtype)
            for queries, keys in ((w, w_kv), (h, h_kv)))

    def _heads(self, x: Tensor) -> Tensor:
        """[N, heads * D, H, W] -> [N, heads, H, W, D]."""
        return x.unflatten(1, (self.num_heads, -1)).permute(0, 1, 3, 4, 2)

    def _queries(self, x_q: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """What meets the keys, and what the distances: [N or 1, heads, h or 1, w or 1, D]."""
        of_pair, of_place, of_key, of_distance = self.attention_type
        query = self._heads(self.query_conv(x_q)) if of_pair or of_place else None

        def choose(with_query: bool, bias: Tensor | None) -> Tensor | None:
            if bias is not None:
                bias = bias.view(1, self.num_heads, 1, 1, -1)
            if with_query:
                return query if bias is None else query + bias
            return bias

        return (choose(of_pair, self.appr_bias if of_key else None),
                choose(of_place, self.geom_bias if of_distance else None))

    def _distances(self, x_q: Tensor, x_kv: Tensor) -> tuple[Tensor, Tensor]:
        """Features [w, w_kv, heads, D] and [h, h_kv, heads, D] of the distances."""
        embedded = self.get_position_embedding(
            *x_q.shape[2:], *x_kv.shape[2:], self.q_stride, self.kv_stride, x_q.device, x_q.dtype,
            self.position_embedding_dim)
        return tuple(layer(embedding).unflatten(2, (self.num_heads, -1)) / math.sqrt(2)
                     for layer, embedding in zip((self.appr_geom_fc_x, self.appr_geom_fc_y),
                                                 embedded, strict=True))

    def _energies(self, x_q: Tensor, x_kv: Tensor) -> Callable[[int, int], Tensor]:
        """A function of a range of rows of queries: energies [N or 1, heads, rows * w, K]."""
        with_key, with_distance = self._queries(x_q)
        size, keys = x_q.shape[2:], x_kv.shape[2:]
        if with_key is not None:
            key = self._heads(self.key_conv(x_kv)).flatten(2, 3).transpose(2, 3).unsqueeze(2)
        if with_distance is not None:
            feature_x, feature_y = self._distances(x_q, x_kv)
            with_distance = with_distance.expand(-1, -1, *size, -1)

        def energies(first: int, last: int) -> Tensor:
            rows, total = slice(first, last), 0
            if with_key is not None:
                query = with_key if with_key.shape[2] == 1 else with_key[:, :, rows]
                total = (query @ key).unflatten(4, keys)
            if with_distance is not None:
                query = with_distance[:, :, rows]
                along_x = torch.einsum('bnywd,wknd->bnywk', query, feature_x)
                along_y = torch.einsum('bnywd,yknd->bnywk', query, feature_y[rows])
                total = total + (along_x.unsqueeze(4) + along_y.unsqueeze(5))
            if self.spatial_range >= 0:
                far = self.local_constraint_map[rows, :total.shape[3], :keys[0], :keys[1]]
                total = total.masked_fill(far.bool(), -math.inf)
            return total.flatten(4).flatten(2, 3)

        return energies

    def _attend(self, x_q: Tensor, x_kv: Tensor) -> Tensor:
        """Means of the values by the softmax of the energies: [N, heads * D, h, w]."""
        energies = self._energies(x_q, x_kv)
        value = self._heads(self.value_conv(x_kv)).flatten(2, 3)
        # By keys alone, all queries get the same.
        height, width = (1, 1) if self.attention_type == _KEYS_ALONE else x_q.shape[2:]

        def attend(first: int, last: int) -> Tensor:
            return energies(first, last).softmax(-1) @ value

        step = max(_LARGEST // (value.shape[0] * value.shape[1] * width * value.shape[2]), 1)
        if step >= height:
            out = attend(0, height)
        else:
            out = torch.cat([
                checkpoint(attend, first, min(first + step, height), use_reentrant=False,
                           preserve_rng_state=False) for first in range(0, height, step)], 2)
        return out.transpose(2, 3).reshape(x_q.shape[0], -1, height, width)

    def forward(self, x_input: Tensor) -> Tensor:
        if self.spatial_range >= 0 and max(x_input.shape[2:]) > _LARGEST_SIDE[self.in_channels]:
            raise ConfigError(
                f'GeneralizedAttention: spatial_range={self.spatial_range} is for maps up to '
                f'{_LARGEST_SIDE[self.in_channels]} pixels high and wide, not '
                f'{tuple(x_input.shape[2:])}')
        x_q = x_input if self.q_downsample is None else self.q_downsample(x_input)
        x_kv = x_input if self.kv_downsample is None else self.kv_downsample(x_input)
        out = self.proj_conv(self._attend(x_q, x_kv))
        if self.q_downsample is not None:
            out = F.interpolate(out, size=x_input.shape[2:], mode='bilinear', align_corners=False)
        return self.gamma * out + x_input
