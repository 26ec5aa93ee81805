"""A transformer layer: attentions, norms and feed-forward networks in a chosen order."""
import copy
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mmcv_replace.runner.base_module import BaseModule, ModuleList
from mmcv_replace.utils.errors import ConfigError, ConfigTypeError

from ..norm import build_norm_layer
from ..registry import TRANSFORMER_LAYER
from .build import build_attention, build_feedforward_network
from .old_names import take, tell_unused

_STEPS = ('self_attn', 'cross_attn', 'norm', 'ffn')


@TRANSFORMER_LAYER.register_module()
class BaseTransformerLayer(BaseModule):
    """The steps of `operation_order`: 'self_attn', 'cross_attn', 'norm' and 'ffn', each any number.

    `attn_cfgs` and `ffn_cfgs`: one config for all attentions (networks), or a list with one for
    each. Where the order begins with 'norm' (`pre_norm`), what a step adds to is not the result of
    the norm but that of the last attention, or the query before the first; mmcv's weights are
    trained so. Sequences are [Q, N, C], or [N, Q, C] with `batch_first`. Raises ConfigError (or
    ConfigTypeError) for configs that do not fit the order.
    """

    def __init__(self, attn_cfgs: dict | Sequence[dict] | None = None,
                 ffn_cfgs: dict | Sequence[dict] = {  # noqa: B006
                     'type': 'FFN', 'embed_dims': 256, 'feedforward_channels': 1024, 'num_fcs': 2,
                     'ffn_drop': 0., 'act_cfg': {'type': 'ReLU', 'inplace': True}},
                 operation_order: Sequence[str] | None = None,
                 norm_cfg: dict = {'type': 'LN'},  # noqa: B006
                 init_cfg: dict | Sequence[dict] | None = None, batch_first: bool = False,
                 **kwargs: Any) -> None:
        super().__init__(init_cfg)
        _check_order(operation_order)
        ffn_cfgs = _with_old_names(ffn_cfgs, kwargs)
        tell_unused('BaseTransformerLayer', kwargs)
        self.batch_first = batch_first
        self.operation_order = operation_order
        self.norm_cfg = norm_cfg
        self.pre_norm = operation_order[0] == 'norm'
        kinds = [step for step in operation_order if step.endswith('attn')]
        self.num_attn = len(kinds)
        self.attentions = ModuleList()
        for cfg, kind in zip(_for_each(attn_cfgs, 'attn_cfgs', len(kinds)), kinds, strict=True):
            self.attentions.append(self._attention(cfg, kind))
        self.embed_dims = self.attentions[0].embed_dims
        self.ffns = ModuleList(
            build_feedforward_network(self._with_width(cfg), dict(type='FFN'))
            for cfg in _for_each(ffn_cfgs, 'ffn_cfgs', operation_order.count('ffn')))
        self.norms = ModuleList(build_norm_layer(norm_cfg, self.embed_dims)[1]
                                for _ in range(operation_order.count('norm')))

    def _attention(self, cfg: dict, kind: str) -> BaseModule:
        if cfg.setdefault('batch_first', self.batch_first) != self.batch_first:
            raise ConfigError(f'BaseTransformerLayer: batch_first={self.batch_first}, but that of '
                              f'the attention is {cfg["batch_first"]}')
        attention = build_attention(cfg)
        # Some attentions do not do the same as first and as second.
        attention.operation_name = kind
        return attention

    def _with_width(self, cfg: dict) -> dict:
        if cfg.setdefault('embed_dims', self.embed_dims) != self.embed_dims:
            raise ConfigError(f'BaseTransformerLayer: embed_dims={cfg["embed_dims"]} of ffn_cfgs, '
                              f'but that of the attention is {self.embed_dims}')
        return cfg

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None,
                query_pos: Tensor | None = None, key_pos: Tensor | None = None,
                attn_masks: Tensor | Sequence[Tensor | None] | None = None,
                query_key_padding_mask: Tensor | None = None,
                key_padding_mask: Tensor | None = None, **kwargs: Any) -> Tensor:
        """Run the steps; self-attention compares the query with itself, cross-attention with `key`.

        `attn_masks`: one mask for all attentions, or one (or None) for each. The padding masks
        belong to the keys of self-attention and of cross-attention. `kwargs` go to the attentions.
        """
        masks = iter(self._masks(attn_masks))
        attentions, norms, ffns = iter(self.attentions), iter(self.norms), iter(self.ffns)
        identity = query
        for step in self.operation_order:
            base = identity if self.pre_norm else None
            if step == 'norm':
                query = next(norms)(query)
            elif step == 'ffn':
                query = next(ffns)(query, base)
            elif step == 'self_attn':
                identity = query = next(attentions)(
                    query, query, query, base, query_pos=query_pos, key_pos=query_pos,
                    attn_mask=next(masks), key_padding_mask=query_key_padding_mask, **kwargs)
            else:
                identity = query = next(attentions)(
                    query, key, value, base, query_pos=query_pos, key_pos=key_pos,
                    attn_mask=next(masks), key_padding_mask=key_padding_mask, **kwargs)
        return query

    def _masks(self, masks: Tensor | Sequence[Tensor | None] | None) -> Sequence[Tensor | None]:
        if masks is None or isinstance(masks, Tensor):
            return [masks] * self.num_attn
        if len(masks) != self.num_attn:
            raise ConfigError(f'BaseTransformerLayer: {len(masks)} attn_masks for {self.num_attn} '
                              'attentions')
        return masks


def _check_order(order: object) -> None:
    if not isinstance(order, list | tuple) or not order or not set(order) <= set(_STEPS):
        raise ConfigTypeError(f'BaseTransformerLayer: operation_order={order!r} must be a list of '
                              f'{", ".join(_STEPS)}')
    if not any(step.endswith('attn') for step in order):
        raise ConfigTypeError(f'BaseTransformerLayer: operation_order={order!r} lacks an attention')


def _for_each(cfgs: object, name: str, count: int) -> list[dict]:
    """A copy of one config for each of `count` parts, or of each of as many configs."""
    if isinstance(cfgs, dict):
        cfgs = [cfgs] * count
    if not isinstance(cfgs, list | tuple):
        raise ConfigTypeError(f'BaseTransformerLayer: {name}={cfgs!r} must be a dict or a list')
    if len(cfgs) != count:
        raise ConfigError(f'BaseTransformerLayer: {len(cfgs)} {name} for {count} such steps of '
                          'operation_order')
    return [copy.deepcopy(cfg) for cfg in cfgs]


def _with_old_names(ffn_cfgs: dict | Sequence[dict], options: dict[str, Any]
                    ) -> dict | Sequence[dict]:
    for old, new in (('feedforward_channels', 'feedforward_channels'), ('ffn_dropout', 'ffn_drop'),
                     ('ffn_num_fcs', 'num_fcs')):
        if old in options:
            value = take('BaseTransformerLayer', options, old, f'{new} in ffn_cfgs', None)
            ffn_cfgs = {**ffn_cfgs, new: value}
    return ffn_cfgs
