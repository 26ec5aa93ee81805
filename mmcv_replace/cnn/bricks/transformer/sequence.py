"""Transformer layers one after another."""
import copy
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mmcv_replace.runner.base_module import BaseModule, ModuleList
from mmcv_replace.utils.errors import ConfigError, ConfigTypeError

from ..registry import TRANSFORMER_LAYER_SEQUENCE
from .build import build_transformer_layer


@TRANSFORMER_LAYER_SEQUENCE.register_module()
class TransformerLayerSequence(BaseModule):
    """`num_layers` layers, of one config or of a list with one for each.

    Raises ConfigTypeError or ConfigError for other configs or another number of them.
    """

    def __init__(self, transformerlayers: dict | Sequence[dict] | None = None,
                 num_layers: int | None = None,
                 init_cfg: dict | Sequence[dict] | None = None) -> None:
        super().__init__(init_cfg)
        if not isinstance(num_layers, int):
            raise ConfigTypeError(f'{type(self).__name__}: num_layers={num_layers!r} must be a '
                                  'number')
        if isinstance(transformerlayers, dict):
            transformerlayers = [transformerlayers] * num_layers
        if not isinstance(transformerlayers, list | tuple) or len(transformerlayers) != num_layers:
            raise ConfigError(f'{type(self).__name__}: transformerlayers must be a dict, or a list '
                              f'of num_layers={num_layers} dicts, not {transformerlayers!r}')
        self.num_layers = num_layers
        self.layers = ModuleList(build_transformer_layer(copy.deepcopy(cfg))
                                 for cfg in transformerlayers)
        self.embed_dims = self.layers[0].embed_dims
        self.pre_norm = self.layers[0].pre_norm

    def forward(self, query: Tensor, key: Tensor | None, value: Tensor | None,
                query_pos: Tensor | None = None, key_pos: Tensor | None = None,
                attn_masks: Tensor | Sequence[Tensor | None] | None = None,
                query_key_padding_mask: Tensor | None = None,
                key_padding_mask: Tensor | None = None, **kwargs: Any) -> Tensor:
        """Run the layers; see BaseTransformerLayer for the arguments, which all layers get."""
        for layer in self.layers:
            query = layer(query, key, value, query_pos=query_pos, key_pos=key_pos,
                          attn_masks=attn_masks, query_key_padding_mask=query_key_padding_mask,
                          key_padding_mask=key_padding_mask, **kwargs)
        return query
