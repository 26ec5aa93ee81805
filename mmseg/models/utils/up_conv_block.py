"""One step of a U-shaped decoder."""
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule, build_upsample_layer
from mmcv_replace.cnn.bricks.layer_cfg import BN, RELU
from mmcv_replace.utils.errors import ConfigError

from . import upsample_layers  # noqa: F401  registers the layers for `upsample_cfg`


class UpConvBlock(nn.Module):
    """Enlarge a map, and convolve it together with a map of the encoder (arXiv:1505.04597).

    skip: [N, skip_channels, H, W], x: [N, in_channels, H / 2, W / 2] -> [N, out_channels, H, W].
    `upsample_cfg`: the layer that enlarges, from in_channels to skip_channels; None for a 1 x 1
    convolution, where x has the size already. `conv_block`: class of the convolutions behind. With
    `fuse_pyramid` a block whose class says `takes_parts = True` gets both maps as they are, where
    others get them concatenated.
    """

    def __init__(
        self, conv_block: Callable[..., nn.Module], in_channels: int, skip_channels: int,
        out_channels: int, num_convs: int = 2, stride: int = 1, dilation: int = 1,
        with_cp: bool = False, conv_cfg: dict | None = None, norm_cfg: dict | None = BN,
        act_cfg: dict | None = RELU,
        upsample_cfg: dict | None = {'type': 'InterpConv'},  # noqa: B006
        dcn: dict | None = None, plugins: Sequence[dict] | None = None, fuse_pyramid: bool = True,
    ) -> None:
        super().__init__()
        refuse_extensions(type(self).__name__, dcn, plugins)
        self.fuse_pyramid = fuse_pyramid
        layers = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.conv_block = conv_block(
            in_channels=2 * skip_channels, out_channels=out_channels, num_convs=num_convs,
            stride=stride, dilation=dilation, with_cp=with_cp, conv_cfg=conv_cfg, **layers,
            dcn=None, plugins=None)
        if upsample_cfg is None:
            self.upsample = ConvModule(in_channels, skip_channels, 1, conv_cfg=conv_cfg, **layers)
        else:
            self.upsample = build_upsample_layer(
                upsample_cfg, in_channels=in_channels, out_channels=skip_channels,
                with_cp=with_cp, **layers)

    def forward(self, skip: Tensor, x: Tensor) -> Tensor:
        x = self.upsample(x)
        if self.fuse_pyramid and getattr(self.conv_block, 'takes_parts', False):
            return self.conv_block(skip, x)
        return self.conv_block(torch.cat([skip, x], dim=1))


def refuse_extensions(name: str, dcn: dict | None, plugins: Sequence[dict] | None) -> None:
    """Raise ConfigError for one of the two; the options exist, as in mmsegmentation, for None."""
    for option, value in (('dcn', dcn), ('plugins', plugins)):
        if value is not None:
            raise ConfigError(f'{name}: {option}={value} cannot be used in this network: leave '
                              f'{option} out; ResNet has both options')
