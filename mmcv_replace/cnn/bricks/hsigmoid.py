"""Hard sigmoid."""
from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError

from .registry import ACTIVATION_LAYERS


@ACTIVATION_LAYERS.register_module()
class HSigmoid(nn.Module):
    """(x + bias) / divisor, clamped to [min_value, max_value] (MobileNetV3, arXiv:1905.02244).

    Before mmcv 1.4.4 the defaults were bias=1, divisor=2. Raises ConfigError for divisor=0.
    """

    def __init__(self, bias: float = 3.0, divisor: float = 6.0, min_value: float = 0.0,
                 max_value: float = 1.0) -> None:
        super().__init__()
        if divisor == 0:
            raise ConfigError('HSigmoid: divisor=0, and (x + bias) / divisor needs another number')
        self.bias = bias
        self.divisor = divisor
        self.min_value = min_value
        self.max_value = max_value

    def forward(self, x: Tensor) -> Tensor:
        return ((x + self.bias) / self.divisor).clamp(self.min_value, self.max_value)
