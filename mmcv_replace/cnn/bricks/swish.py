"""Swish."""
from torch import Tensor, nn

from .registry import ACTIVATION_LAYERS


@ACTIVATION_LAYERS.register_module()
class Swish(nn.Module):
    """x * sigmoid(x) (arXiv:1710.05941); the type 'SiLU' rounds otherwise and is faster."""

    def forward(self, x: Tensor) -> Tensor:
        return x * x.sigmoid()
