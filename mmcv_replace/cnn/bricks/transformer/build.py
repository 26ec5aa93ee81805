"""Build the parts of transformers from their configs."""
from typing import Any

from torch import nn

from mmcv_replace.utils import build_from_cfg

from ..registry import (
    ATTENTION,
    FEEDFORWARD_NETWORK,
    POSITIONAL_ENCODING,
    TRANSFORMER_LAYER,
    TRANSFORMER_LAYER_SEQUENCE,
)

_Config = dict[str, Any]


def build_positional_encoding(cfg: _Config, default_args: _Config | None = None) -> nn.Module:
    """Build the positional encoding that `cfg` names."""
    return build_from_cfg(cfg, POSITIONAL_ENCODING, default_args)


def build_attention(cfg: _Config, default_args: _Config | None = None) -> nn.Module:
    """Build the attention that `cfg` names."""
    return build_from_cfg(cfg, ATTENTION, default_args)


def build_feedforward_network(cfg: _Config, default_args: _Config | None = None) -> nn.Module:
    """Build the feed-forward network that `cfg` names."""
    return build_from_cfg(cfg, FEEDFORWARD_NETWORK, default_args)


def build_transformer_layer(cfg: _Config, default_args: _Config | None = None) -> nn.Module:
    """Build the transformer layer that `cfg` names."""
    return build_from_cfg(cfg, TRANSFORMER_LAYER, default_args)


def build_transformer_layer_sequence(cfg: _Config,
                                     default_args: _Config | None = None) -> nn.Module:
    """Build the sequence of transformer layers that `cfg` names."""
    return build_from_cfg(cfg, TRANSFORMER_LAYER_SEQUENCE, default_args)
