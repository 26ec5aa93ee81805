"""Attention to a few sampled positions on several maps (Deformable DETR, arXiv:2010.04159)."""
import logging
import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmcv_replace.cnn.bricks.registry import ATTENTION
from mmcv_replace.cnn.bricks.transformer.old_names import take
from mmcv_replace.cnn.utils.layer_init import constant_init, xavier_init
from mmcv_replace.device import is_asynchronous
from mmcv_replace.runner.base_module import BaseModule
from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import ConfigError

from ..utils.trace import is_traced
from .precision import wide_type
from .sampling.bilinear import bilinear_corners
from .sampling.weighted_rows import weighted_rows

# Pixels that are read at a time: 4 for each sample. The backward pass holds 100 bytes of each.
LIMIT = 2 ** 20


def multi_scale_deformable_attn_pytorch(
        value: Tensor, value_spatial_shapes: Tensor | Sequence[tuple[int, int]],
        sampling_locations: Tensor, attention_weights: Tensor) -> Tensor:
    """Weighted sums of bilinear samples of several maps, for each query and head.

    value: [N, S, M, D], the pixels of all L maps one after another, row by row, in M heads;
    value_spatial_shapes: [L, 2], their heights and widths, together S pixels; sampling_locations:
    [N, Q, M, L, P, 2], P positions (x, y) on each map, from 0 to 1 between its borders;
    attention_weights: [N, Q, M, L, P] -> [N, Q, M * D]. Maps are zero outside. Differentiable in
    the value, the positions and the weights.

    All samples of all levels are one weighted sum of rows of a table; positions are computed in
    float32. Cost: 8 N Q M L P D operations; memory: that of the result and 100 bytes for each of
    LIMIT pixels, since queries are taken a part at a time and positions computed again in the
    backward pass. Raises ConfigError for shapes that do not fit.
    """
    shapes = value_spatial_shapes
    if isinstance(shapes, Tensor):  # which as_tensor would make a constant of a traced graph
        shapes = shapes.to(value.device)
    else:
        shapes = torch.tensor(shapes, device=value.device)
    return _attend(value, shapes, _starts(shapes), sampling_locations, attention_weights)


class MultiScaleDeformableAttnFunction:
    """The same by mmcv's name for its compiled form."""

    @staticmethod
    def apply(value: Tensor, value_spatial_shapes: Tensor, value_level_start_index: Tensor,
              sampling_locations: Tensor, attention_weights: Tensor, im2col_step: int) -> Tensor:
        """See multi_scale_deformable_attn_pytorch.

        value_level_start_index: [L], the place of the first pixel of each map among the S;
        im2col_step has no effect: any batch fits.
        """
        return _attend(value, value_spatial_shapes, value_level_start_index, sampling_locations,
                       attention_weights)


def _starts(shapes: Tensor) -> Tensor:
    """Places of the first pixels of maps that follow one another."""
    areas = shapes[:, 0].int() * shapes[:, 1].int()
    return areas.cumsum(0, dtype=torch.int32) - areas


def _attend(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor,
            weights: Tensor) -> Tensor:
    _check(value, shapes, starts, locations, weights)
    count, pixels, heads, channels = value.shape
    queries, points = locations.shape[1], locations.shape[4]
    height, width, start = (
        x.to(torch.int32).unsqueeze(1).expand(-1, points).flatten()
        for x in (shapes[:, 0], shapes[:, 1], starts))
    image, head = (torch.arange(n, dtype=torch.int32, device=value.device) for n in (count, heads))
    # The table has the rows (image, pixel, head).
    first = (image * (pixels * heads)).view(-1, 1, 1, 1) + head.view(-1, 1) + start * heads
    run = partial(_attend_at_once, value.reshape(-1, channels), (height, width), first)
    locations, weights = locations.flatten(3, 4), weights.flatten(3, 4)
    if is_traced() or not weights.numel():
        return run(locations, weights)
    step = max(1, LIMIT * queries // (4 * weights.numel()))
    if step < queries:
        run = partial(checkpoint, run, use_reentrant=False, preserve_rng_state=False)
    # The gradient of parts by `split` is joined once, that of slices added up in full size.
    parts = zip(locations.split(step, 1), weights.split(step, 1), strict=True)
    return torch.cat([run(*part) for part in parts], 1)


def _attend_at_once(table: Tensor, size: tuple[Tensor, Tensor], first: Tensor, locations: Tensor,
                    weights: Tensor) -> Tensor:
    """locations: [N, Q, M, L * P, 2], weights: [N, Q, M, L * P] -> [N, Q, M * D].

    `size` of the map of each sample: [L * P] twice; `first`: the row of its first pixel.
    """
    height, width = size
    x, y = locations.to(wide_type(locations.dtype)).unbind(-1)
    x, y = x * width - 0.5, y * height - 0.5
    heads = weights.shape[2]
    index, weight = bilinear_corners(y, x, height, width, weights, first, heads)
    rows = weighted_rows(table, index.flatten(0, 2).flatten(1), weight.flatten(0, 2).flatten(1))
    return rows.view(*weights.shape[:2], heads * table.shape[1])


def _check(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor,
           weights: Tensor) -> None:
    if value.dim() != 4 or locations.dim() != 6 or locations.shape[:-1] != weights.shape or (
            value.shape[0], value.shape[2], len(shapes), 2) != (
            *locations.shape[0:4:2], *locations.shape[3:6:2]):
        raise ConfigError(
            f'multi-scale deformable attention: value {[*value.shape]}, {len(shapes)} '
            f'spatial_shapes, sampling_locations {[*locations.shape]}, attention_weights '
            f'{[*weights.shape]} must be [N, S, M, D], L, [N, Q, M, L, P, 2] and [N, Q, M, L, P]')
    if starts.shape != shapes.shape[:1]:
        raise ConfigError(f'multi-scale deformable attention: level_start_index {[*starts.shape]} '
                          f'must have a number for each of the {len(shapes)} spatial_shapes')
    # Where reading the sizes would stop the host, or a graph, a wrong one shows in the index.
    if not is_traced() and not any(is_asynchronous(x.device) for x in (shapes, starts)):
        pixels = int(shapes.prod(1).sum())
        if pixels != value.shape[1]:
            raise ConfigError(f'multi-scale deformable attention: maps of spatial_shapes='
                              f'{shapes.tolist()} have {pixels} pixels, and value {value.shape[1]}')
        # In a batch, a map that reaches beyond an image would be read from the next one.
        if any(not 0 <= start <= pixels - height * width for start, (height, width)
               in zip(starts.tolist(), shapes.tolist(), strict=True)):
            raise ConfigError('multi-scale deformable attention: level_start_index='
                              f'{starts.tolist()} puts maps of spatial_shapes={shapes.tolist()} '
                              f'beyond the {pixels} pixels of value: give the sums of the pixels '
                              'of the maps before each')


@ATTENTION.register_module()
class MultiScaleDeformableAttention(BaseModule):
    """identity + dropout(output_proj(attention)), with positions and weights from the query.

    Each of `num_heads` heads takes `num_points` samples on each of `num_levels` maps, at offsets
    from the reference points of the query. Sequences are [Q, N, C], or [N, Q, C] with
    `batch_first`. `im2col_step` has no effect, and `norm_cfg` has none in mmcv either.
    Cost and memory: those of `multi_scale_deformable_attn_pytorch`, and of four linear layers.
    Raises ConfigError for embed_dims that the heads do not divide.
    """

    def __init__(self, embed_dims: int = 256, num_heads: int = 8, num_levels: int = 4,
                 num_points: int = 4, im2col_step: int = 64, dropout: float = 0.1,
                 batch_first: bool = False, norm_cfg: dict | None = None,
                 init_cfg: dict | Sequence[dict] | None = None) -> None:
        super().__init__(init_cfg)
        if num_heads < 1 or embed_dims % num_heads:
            raise ConfigError(f'MultiScaleDeformableAttention: embed_dims={embed_dims} must be '
                              f'divisible by num_heads={num_heads}')
        width = embed_dims // num_heads
        if width & (width - 1):
            warn_once(f'MultiScaleDeformableAttention: {width} channels a head are slower than a '
                      'power of 2 on most devices: change embed_dims or num_heads',
                      logging.getLogger('mmseg.cnn'))
        self.norm_cfg = norm_cfg
        self.dropout = nn.Dropout(dropout)
        self.batch_first = batch_first
        self.im2col_step = im2col_step
        self.embed_dims = embed_dims
        self.num_levels = num_levels
        self.num_heads = num_heads
        self.num_points = num_points
        samples = num_heads * num_levels * num_points
        self.sampling_offsets = nn.Linear(embed_dims, samples * 2)
        self.attention_weights = nn.Linear(embed_dims, samples)
        self.value_proj = nn.Linear(embed_dims, embed_dims)
        self.output_proj = nn.Linear(embed_dims, embed_dims)
        self._draw()

    def init_weights(self) -> None:
        """Draw the weights, at each call, and then apply `init_cfg`.

        At first the heads look in different directions, at distances of 1 to `num_points` pixels,
        and give all samples the same weight.
        """
        self._draw()
        self._is_init = False
        super().init_weights()

    def _draw(self) -> None:
        constant_init(self.sampling_offsets, 0)
        constant_init(self.attention_weights, 0)
        angle = torch.arange(self.num_heads, dtype=torch.float32) * (2 * math.pi / self.num_heads)
        ring = torch.stack([angle.cos(), angle.sin()], -1)
        # On the border of a square: one of the two coordinates is 1.
        ring = (ring / ring.abs().amax(1, keepdim=True)).view(-1, 1, 1, 2)
        distance = torch.arange(1., self.num_points + 1).view(-1, 1)
        offsets = (ring * distance).expand(-1, self.num_levels, -1, -1)
        with torch.no_grad():
            self.sampling_offsets.bias.copy_(offsets.flatten())
        xavier_init(self.value_proj, distribution='uniform')
        xavier_init(self.output_proj, distribution='uniform')

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None,
                identity: Tensor | None = None, query_pos: Tensor | None = None,
                key_padding_mask: Tensor | None = None, reference_points: Tensor | None = None,
                spatial_shapes: Tensor | None = None, level_start_index: Tensor | None = None,
                **kwargs: Any) -> Tensor:
        """Attend; `value` and `identity` default to the query, whose `query_pos` is added to it.

        value: the pixels of all maps, as the query; key_padding_mask: [N, S], True for pixels
        without a value; reference_points: [N, Q, num_levels, 2], (x, y) from 0 to 1, or
        [N, Q, num_levels, 4], boxes of a centre and a size, whose halves are then the unit of
        offsets, each divided by num_points; otherwise that is a pixel. spatial_shapes: [L, 2],
        heights and widths; level_start_index: [L], where each map begins, by default where the one
        before it ends. `key` has no effect. Raises ConfigError for arguments that do not fit.
        """
        self._check_maps(reference_points, spatial_shapes)
        identity = take('MultiScaleDeformableAttention', kwargs, 'residual', 'identity', identity)
        value = query if value is None else value
        identity = query if identity is None else identity
        query = query if query_pos is None else query + query_pos
        if not self.batch_first:
            query, value = query.transpose(0, 1), value.transpose(0, 1)
        value = self.value_proj(value)
        if key_padding_mask is not None:
            if key_padding_mask.shape != value.shape[:2]:
                raise ConfigError('MultiScaleDeformableAttention: key_padding_mask '
                                  f'{[*key_padding_mask.shape]} must be [N, S], here '
                                  f'{[*value.shape[:2]]}')
            value = value.masked_fill(key_padding_mask.unsqueeze(2), 0)
        weights = self.attention_weights(query).unflatten(2, (self.num_heads, -1)).softmax(3)
        out = MultiScaleDeformableAttnFunction.apply(
            value.unflatten(2, (self.num_heads, -1)), spatial_shapes,
            _starts(spatial_shapes) if level_start_index is None else level_start_index,
            self._locations(query, reference_points, spatial_shapes),
            weights.unflatten(3, (self.num_levels, self.num_points)), self.im2col_step)
        out = self.output_proj(out)
        out = out if self.batch_first else out.transpose(0, 1)
        return self.dropout(out) + identity

    def _check_maps(self, reference_points: Tensor | None, shapes: Tensor | None) -> None:
        missing = [name for name, given in dict(
            reference_points=reference_points, spatial_shapes=shapes).items() if given is None]
        if missing:
            raise ConfigError(f'MultiScaleDeformableAttention: {" and ".join(missing)} must be '
                              'given: it attends to positions on maps')
        if not isinstance(shapes, Tensor):
            raise ConfigError(f'MultiScaleDeformableAttention: spatial_shapes={shapes!r} must be a '
                              'tensor [L, 2] of heights and widths, on the device of the query')
        if reference_points.dim() != 4:
            raise ConfigError('MultiScaleDeformableAttention: reference_points '
                              f'{[*reference_points.shape]} must be [N, Q, L, 2] or [N, Q, L, 4]')
        if len(shapes) != self.num_levels:
            raise ConfigError(f'MultiScaleDeformableAttention: {len(shapes)} spatial_shapes for '
                              f'num_levels={self.num_levels}: give as many maps as levels')

    def _locations(self, query: Tensor, reference_points: Tensor, shapes: Tensor) -> Tensor:
        """[N, Q, heads, levels, points, 2], from 0 to 1."""
        offsets = self.sampling_offsets(query).unflatten(
            2, (self.num_heads, self.num_levels, self.num_points, 2))
        offsets = offsets.to(wide_type(offsets.dtype))
        points = reference_points[:, :, None, :, None]
        if reference_points.shape[-1] == 2:
            return points + offsets / torch.stack([shapes[:, 1], shapes[:, 0]], 1).unsqueeze(1)
        if reference_points.shape[-1] == 4:
            return points[..., :2] + offsets / self.num_points * points[..., 2:] / 2
        raise ConfigError('MultiScaleDeformableAttention: reference_points '
                          f'{[*reference_points.shape]} must end in 2 values, (x, y), or 4, '
                          '(x, y, width, height)')
