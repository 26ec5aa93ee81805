"""Attention with several heads as a residual block."""
import logging
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mmcv_replace.runner.base_module import BaseModule
from mmcv_replace.utils import warn_once

from ..drop import build_dropout
from ..registry import ATTENTION
from .old_names import take


@ATTENTION.register_module()
class MultiheadAttention(BaseModule):
    """identity + dropout_layer(proj_drop(attention)), around torch's own MultiheadAttention.

    `attn_drop` and `proj_drop`: probabilities of dropping a weight and a result. `kwargs` go to
    nn.MultiheadAttention (kdim, vdim, bias, ...). Queries are [Q, N, C], or [N, Q, C] with
    `batch_first`, and the results have their shape; arXiv:1706.03762.
    """

    def __init__(self, embed_dims: int, num_heads: int, attn_drop: float = 0.,
                 proj_drop: float = 0.,
                 dropout_layer: dict | None = {'type': 'Dropout', 'drop_prob': 0.},  # noqa: B006
                 init_cfg: dict | Sequence[dict] | None = None, batch_first: bool = False,
                 **kwargs: Any) -> None:
        super().__init__(init_cfg)
        if 'dropout' in kwargs:
            attn_drop = take('MultiheadAttention', kwargs, 'dropout', 'attn_drop', attn_drop)
            dropout_layer = {**(dropout_layer or {'type': 'Dropout'}), 'drop_prob': attn_drop}
        self.embed_dims = embed_dims
        self.num_heads = num_heads
        self.batch_first = batch_first
        self.attn = nn.MultiheadAttention(embed_dims, num_heads, attn_drop, **kwargs)
        self.proj_drop = nn.Dropout(proj_drop)
        self.dropout_layer = build_dropout(dropout_layer) if dropout_layer else nn.Identity()

    def forward(self, query: Tensor, key: Tensor | None = None, value: Tensor | None = None,
                identity: Tensor | None = None, query_pos: Tensor | None = None,
                key_pos: Tensor | None = None, attn_mask: Tensor | None = None,
                key_padding_mask: Tensor | None = None, **kwargs: Any) -> Tensor:
        """Attend; `key` defaults to the query, `value` to the key, `identity` to the query.

        `query_pos` and `key_pos` are added to query and key; `key_pos` defaults to `query_pos`
        where the shapes are equal. attn_mask: [Q, K] or [N * heads, Q, K]; key_padding_mask:
        [N, K].
        """
        identity = take('MultiheadAttention', kwargs, 'residual', 'identity', identity)
        key = query if key is None else key
        value = key if value is None else value
        identity = query if identity is None else identity
        if key_pos is None and query_pos is not None:
            if query_pos.shape == key.shape:
                key_pos = query_pos
            else:
                warn_once('MultiheadAttention: the keys get no positions, since query_pos is not '
                          'of their shape: give key_pos too', logging.getLogger('mmseg.cnn'))
        query = query if query_pos is None else query + query_pos
        key = key if key_pos is None else key + key_pos
        if self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        # With the weights as a result, torch would keep all of them in memory.
        out, _ = self.attn(query, key, value, key_padding_mask, attn_mask=attn_mask,
                           need_weights=False)
        out = out.transpose(0, 1) if self.batch_first else out
        return identity + self.dropout_layer(self.proj_drop(out))
