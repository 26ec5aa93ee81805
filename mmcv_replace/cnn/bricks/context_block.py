"""Global context block (GCNet, arXiv:1904.11492)."""
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError, ConfigTypeError

from ..utils.layer_init import constant_init, kaiming_init
from .registry import PLUGIN_LAYERS

_POOLINGS = ('att', 'avg')
_FUSIONS = ('channel_add', 'channel_mul')


@PLUGIN_LAYERS.register_module()
class ContextBlock(nn.Module):
    """Add to x, or multiply it by, what a small network makes of one vector for the whole map.

    The vector is the mean over all pixels ('avg') or one weighted by attention ('att'); the network
    has int(in_channels * ratio) channels inside. x: [N, in_channels, H, W] -> the same shape.
    Raises ConfigError for an unknown or missing `pooling_type` or `fusion_types`, and for a `ratio`
    that leaves no channel.
    """

    _abbr_ = 'context_block'

    def __init__(self, in_channels: int, ratio: float, pooling_type: str = 'att',
                 fusion_types: Sequence[str] = ('channel_add',)) -> None:
        super().__init__()
        if pooling_type not in _POOLINGS:
            raise ConfigError(f'ContextBlock: pooling_type={pooling_type!r} is not one of '
                              f'{", ".join(_POOLINGS)}')
        if not isinstance(fusion_types, list | tuple):
            raise ConfigTypeError(f'ContextBlock: fusion_types={fusion_types!r} must be a list')
        if not fusion_types or not set(fusion_types) <= set(_FUSIONS):
            raise ConfigError(f'ContextBlock: fusion_types={fusion_types!r} must hold one or both '
                              f'of {", ".join(_FUSIONS)}')
        self.in_channels = in_channels
        self.ratio = ratio
        self.planes = int(in_channels * ratio)
        if self.planes < 1:
            raise ConfigError(f'ContextBlock: ratio={ratio} leaves none of in_channels='
                              f'{in_channels}: raise it to 1 / {in_channels} at least')
        self.pooling_type = pooling_type
        self.fusion_types = fusion_types
        if pooling_type == 'att':
            self.conv_mask = nn.Conv2d(in_channels, 1, kernel_size=1)
            self.softmax = nn.Softmax(dim=2)
        else:
            self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.channel_add_conv = self._transform() if 'channel_add' in fusion_types else None
        self.channel_mul_conv = self._transform() if 'channel_mul' in fusion_types else None
        self.reset_parameters()

    def _transform(self) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(self.in_channels, self.planes, kernel_size=1),
            nn.LayerNorm([self.planes, 1, 1]),
            nn.ReLU(inplace=True),
            nn.Conv2d(self.planes, self.in_channels, kernel_size=1))

    def reset_parameters(self) -> None:
        """Kaiming weights for the mask; the last layers are 0, so that nothing changes at first."""
        if self.pooling_type == 'att':
            kaiming_init(self.conv_mask, mode='fan_in')
        for transform in (self.channel_add_conv, self.channel_mul_conv):
            if transform is not None:
                constant_init(transform[-1], 0)

    def spatial_pool(self, x: Tensor) -> Tensor:
        """The vector [N, C, 1, 1] of a map [N, C, H, W]."""
        if self.pooling_type == 'avg':
            return self.avg_pool(x)
        mask = self.softmax(self.conv_mask(x).flatten(2))  # [N, 1, HW]
        return (x.flatten(2) @ mask.transpose(1, 2)).unsqueeze(3)

    def forward(self, x: Tensor) -> Tensor:
        context = self.spatial_pool(x)
        if self.channel_mul_conv is not None:
            x = x * self.channel_mul_conv(context).sigmoid()
        if self.channel_add_conv is not None:
            x = x + self.channel_add_conv(context)
        return x
