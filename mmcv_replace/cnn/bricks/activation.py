"""Activation functions by name."""
import torch
from torch import Tensor, nn

from .layer_cfg import build_layer
from .registry import ACTIVATION_LAYERS


@ACTIVATION_LAYERS.register_module(name=['Clip', 'Clamp'])
class Clamp(nn.Module):
    """Limit every value to [min, max]."""

    def __init__(self, min: float = -1.0, max: float = 1.0) -> None:
        super().__init__()
        self.min = min
        self.max = max

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp(x, self.min, self.max)


def build_activation_layer(cfg: dict) -> nn.Module:
    """Build the activation that `cfg` names."""
    return build_layer(ACTIVATION_LAYERS, cfg)
