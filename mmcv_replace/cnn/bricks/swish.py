"""Swish."""
import torch.nn.functional as F
from torch import Tensor, nn

from .registry import ACTIVATION_LAYERS


@ACTIVATION_LAYERS.register_module()
class Swish(nn.Module):
    """x * sigmoid(x) (arXiv:1710.05941)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x)
