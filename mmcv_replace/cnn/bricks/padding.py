"""Padding layers by name."""
from torch import nn

from .layer_cfg import build_layer
from .registry import PADDING_LAYERS


def build_padding_layer(cfg: dict, *args: object, **kwargs: object) -> nn.Module:
    """Build the padding layer that `cfg` names: zero, reflect or replicate."""
    return build_layer(PADDING_LAYERS, cfg, *args, **kwargs)
