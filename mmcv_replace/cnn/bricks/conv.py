"""Convolutions by name."""
from torch import nn

from .layer_cfg import build_layer
from .registry import CONV_LAYERS


def build_conv_layer(cfg: dict | None, *args: object, **kwargs: object) -> nn.Module:
    """Build the convolution that `cfg` names (Conv2d without one).

    `args` and `kwargs` are the layer's own (in_channels, out_channels, kernel_size, ...).
    """
    return build_layer(CONV_LAYERS, dict(type='Conv2d') if cfg is None else cfg, *args, **kwargs)
