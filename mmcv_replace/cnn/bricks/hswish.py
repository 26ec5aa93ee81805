"""Hard swish."""
import torch.nn.functional as F
from torch import Tensor, nn

from .registry import ACTIVATION_LAYERS


@ACTIVATION_LAYERS.register_module()
class HSwish(nn.Module):
    """x * relu6(x + 3) / 6 (MobileNetV3, arXiv:1905.02244)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        return F.hardswish(x, self.inplace)
