"""Weights for the channels of a map, by its means."""
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.cnn.bricks.layer_cfg import RELU
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import image_mean

from .make_divisible import make_divisible

HARD_SIGMOID = {'type': 'HSigmoid', 'bias': 3.0, 'divisor': 6.0}


class SELayer(nn.Module):
    """Squeeze and excitation (arXiv:1709.01507): [N, channels, H, W] -> the same, weighted.

    Two 1 x 1 convolutions turn the mean of each channel into its weight, with
    channels // ratio channels between them, rounded to a multiple of 8. `act_cfg`: their two
    activations, or one for both.
    """

    def __init__(self, channels: int, ratio: int = 16, conv_cfg: dict | None = None,
                 act_cfg: dict | Sequence[dict] = (RELU, HARD_SIGMOID)) -> None:
        super().__init__()
        first, second = _two_activations(act_cfg)
        between = make_divisible(channels // ratio, 8)
        self.conv1 = ConvModule(channels, between, 1, conv_cfg=conv_cfg, act_cfg=first)
        self.conv2 = ConvModule(between, channels, 1, conv_cfg=conv_cfg, act_cfg=second)

    def weights(self, x: Tensor) -> Tensor:
        """The weights alone: [N, channels, H, W] -> [N, channels, 1, 1]."""
        return self.conv2(self.conv1(image_mean(x)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weights(x)


def _two_activations(act_cfg: dict | Sequence[dict]) -> tuple[dict, dict]:
    both = (act_cfg, act_cfg) if isinstance(act_cfg, dict) else tuple(act_cfg)
    if len(both) != 2 or not all(isinstance(each, dict) for each in both):
        raise ConfigError(f'SELayer: act_cfg={act_cfg!r} must be the config of an activation, or '
                          'one for each of the two convolutions')
    return both
