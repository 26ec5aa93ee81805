"""Fully convolutional head with depthwise separable convolutions."""
from torch import nn

from mmcv_replace.cnn import DepthwiseSeparableConvModule
from mmcv_replace.utils.errors import ConfigError

from ..builder import HEADS
from .fcn_head import FCNHead


@HEADS.register_module()
class DepthwiseSeparableFCNHead(FCNHead):
    """FCNHead of depthwise separable convolutions (Fast-SCNN, arXiv:1902.04502).

    `dw_act_cfg`: the activation behind each depthwise convolution, by default that of the head.
    """

    def __init__(self, dw_act_cfg: dict | str | None = 'default', **kwargs: object) -> None:
        super().__init__(**kwargs)
        if self.num_convs == 0:
            raise ConfigError('DepthwiseSeparableFCNHead: num_convs=0 leaves nothing to separate: '
                              'use FCNHead, or num_convs=1 or more')

        def separable(in_channels: int, dilation: int = 1) -> nn.Module:
            padding = self.kernel_size // 2 * dilation
            return DepthwiseSeparableConvModule(
                in_channels, self.channels, self.kernel_size, padding=padding, dilation=dilation,
                dw_act_cfg=dw_act_cfg, **self.layer_cfg)

        self.convs = nn.Sequential(*(
            separable(self.in_channels if i == 0 else self.channels, self.dilation)
            for i in range(self.num_convs)))
        if self.concat_input:
            self.conv_cat = separable(self.in_channels + self.channels)
