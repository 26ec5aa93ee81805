"""Depthwise convolution followed by a pointwise one."""
from torch import Tensor, nn

from mmcv_replace.utils.errors import ArgumentError

from .conv_module import ConvModule
from .layer_cfg import RELU


class DepthwiseSeparableConvModule(nn.Module):
    """Depthwise ConvModule, then pointwise ConvModule (MobileNet, arXiv:1704.04861).

    `dw_*` and `pw_*` configure one of the two; 'default' stands for `norm_cfg` or `act_cfg`.
    x: [N, in_channels, H, W] -> [N, out_channels, H', W'].
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int],
                 stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0,
                 dilation: int | tuple[int, int] = 1, norm_cfg: dict | None = None,
                 act_cfg: dict | None = RELU, dw_norm_cfg: dict | str | None = 'default',
                 dw_act_cfg: dict | str | None = 'default',
                 pw_norm_cfg: dict | str | None = 'default',
                 pw_act_cfg: dict | str | None = 'default', **kwargs: object) -> None:
        super().__init__()
        if 'groups' in kwargs:
            raise ArgumentError('DepthwiseSeparableConvModule sets groups itself: leave '
                                f'groups={kwargs["groups"]!r} out')

        def choose(own: dict | str | None, common: dict | None) -> dict | None:
            return common if own == 'default' else own

        self.depthwise_conv = ConvModule(
            in_channels, in_channels, kernel_size, stride=stride, padding=padding,
            dilation=dilation, groups=in_channels, norm_cfg=choose(dw_norm_cfg, norm_cfg),
            act_cfg=choose(dw_act_cfg, act_cfg), **kwargs)
        self.pointwise_conv = ConvModule(
            in_channels, out_channels, 1, norm_cfg=choose(pw_norm_cfg, norm_cfg),
            act_cfg=choose(pw_act_cfg, act_cfg), **kwargs)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise_conv(self.depthwise_conv(x))
