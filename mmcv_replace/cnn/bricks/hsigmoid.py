"""Hard sigmoid."""
from torch import Tensor, nn

from .registry import ACTIVATION_LAYERS


@ACTIVATION_LAYERS.register_module()
class HSigmoid(nn.Module):
    """(x + bias) / divisor, clamped to [min_value, max_value].

    The defaults are mmcv 1.2's; MobileNetV3 (arXiv:1905.02244) uses bias=3, divisor=6.
    """

    def __init__(self, bias: float = 1.0, divisor: float = 2.0, min_value: float = 0.0,
                 max_value: float = 1.0) -> None:
        super().__init__()
        self.bias = bias
        self.divisor = divisor
        self.min_value = min_value
        self.max_value = max_value

    def forward(self, x: Tensor) -> Tensor:
        return ((x + self.bias) / self.divisor).clamp(self.min_value, self.max_value)
