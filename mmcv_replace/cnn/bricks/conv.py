"""Convolutions by name."""
from torch import nn

from .layer_cfg import build_layer
from .registry import CONV_LAYERS

CONV_LAYERS.register_module(name='Conv1d', module=nn.Conv1d)
CONV_LAYERS.register_module(name=['Conv2d', 'Conv'], module=nn.Conv2d)
CONV_LAYERS.register_module(name='Conv3d', module=nn.Conv3d)


def build_conv_layer(cfg: dict | None, *args: object, **kwargs: object) -> nn.Module:
    """Build the convolution that `cfg` names (Conv2d without one).

    `args` and `kwargs` are the layer's own (in_channels, out_channels, kernel_size, ...).
    """
    return build_layer(CONV_LAYERS, cfg or dict(type='Conv2d'), *args, **kwargs)
