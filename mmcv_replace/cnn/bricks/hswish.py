"""Hard swish."""
from torch import nn

from .registry import ACTIVATION_LAYERS


@ACTIVATION_LAYERS.register_module()
class HSwish(nn.Hardswish):
    """x * relu6(x + 3) / 6 (MobileNetV3, arXiv:1905.02244)."""

    @property
    def act(self) -> nn.ReLU6:
        """The ReLU6 of the formula."""
        return nn.ReLU6(self.inplace)
