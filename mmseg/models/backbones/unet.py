"""U-Net, an encoder and a decoder with connections between maps of the same size."""
import math
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.cnn.bricks.layer_cfg import BN, RELU
from mmcv_replace.utils.errors import ConfigError

from ..builder import BACKBONES
from ..utils.up_conv_block import UpConvBlock, refuse_extensions
from ..utils.upsample_layers import DeconvModule, InterpConv  # noqa: F401  the place in 0.10
from .base_backbone import BaseBackbone
from .unet_blocks import BasicConvBlock


@BACKBONES.register_module()
class UNet(BaseBackbone):
    """U-Net (arXiv:1505.04597): maps from the smallest, of the encoder, to that of the image.

    Stage i of the encoder has base_channels * 2**i channels and `enc_num_convs[i]` convolutions,
    of which the first has the stride `strides[i]`; `downsamples[i]` halves the map before stage
    i + 1, unless that has a stride. The decoder goes back, by `dec_num_convs` convolutions; the
    layer of `upsample_cfg` (InterpConv, DeconvModule) enlarges maps. The dilations are those of
    all convolutions of a stage but the first.

    The sides of images must be multiples of `size_divisor`. `with_cp` computes blocks again in
    backward; the attribute `recompute_norms` of the blocks does so with norms alone.
    `fuse_pyramid`: convolve before maps are enlarged, and without concatenating them, with the same
    result up to rounding. `dcn` and `plugins` must be None.
    """

    host_channels_last = 'its convolutions of few channels are faster in it'

    def __init__(
        self, in_channels: int = 3, base_channels: int = 64, num_stages: int = 5,
        strides: Sequence[int] = (1, 1, 1, 1, 1), enc_num_convs: Sequence[int] = (2, 2, 2, 2, 2),
        dec_num_convs: Sequence[int] = (2, 2, 2, 2),
        downsamples: Sequence[bool] = (True, True, True, True),
        enc_dilations: Sequence[int] = (1, 1, 1, 1, 1),
        dec_dilations: Sequence[int] = (1, 1, 1, 1), with_cp: bool = False,
        conv_cfg: dict | None = None, norm_cfg: dict | None = BN, act_cfg: dict | None = RELU,
        upsample_cfg: dict = {'type': 'InterpConv'},  # noqa: B006
        norm_eval: bool = False, dcn: dict | None = None, plugins: Sequence[dict] | None = None,
        pretrained: str | None = None, init_cfg: dict | Sequence[dict] | None = None,
        frozen_stages: int = -1, fuse_pyramid: bool = True,
    ) -> None:
        super().__init__(in_channels, frozen_stages, norm_eval, pretrained, init_cfg)
        refuse_extensions('UNet', dcn, plugins)
        for name, values, number in (
                ('strides', strides, num_stages), ('enc_num_convs', enc_num_convs, num_stages),
                ('enc_dilations', enc_dilations, num_stages),
                ('dec_num_convs', dec_num_convs, num_stages - 1),
                ('dec_dilations', dec_dilations, num_stages - 1),
                ('downsamples', downsamples, num_stages - 1)):
            self._check_numbers(name, values, number, num_stages)
        self.num_stages = num_stages
        self.strides = strides
        self.downsamples = downsamples
        self.base_channels = base_channels
        layers = dict(with_cp=with_cp, conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        shrinks = [strides[i] > 1 or downsamples[i - 1] for i in range(1, num_stages)]
        widths = [base_channels * 2**i for i in range(num_stages)]
        self.encoder = nn.ModuleList()
        self.decoder = nn.ModuleList()
        for i, width in enumerate(widths):
            pools = i > 0 and strides[i] == 1 and downsamples[i - 1]
            self.encoder.append(nn.Sequential(
                *([nn.MaxPool2d(2)] if pools else []),
                BasicConvBlock(widths[i - 1] if i else in_channels, width, enc_num_convs[i],
                               strides[i], enc_dilations[i], **layers)))
        for i, width in enumerate(widths[1:]):
            self.decoder.append(UpConvBlock(
                BasicConvBlock, width, widths[i], widths[i], dec_num_convs[i],
                dilation=dec_dilations[i], upsample_cfg=upsample_cfg if shrinks[i] else None,
                fuse_pyramid=fuse_pyramid, **layers))
        for module in self.decoder.modules():
            if hasattr(module, 'fuse_pyramid'):  # of the layers that enlarge
                module.fuse_pyramid = fuse_pyramid
        self.fuse_pyramid = fuse_pyramid
        self.size_divisor = strides[0] * 2**sum(shrinks)
        self.out_channels = tuple(widths[::-1])
        self.out_strides = tuple(strides[0] * 2**sum(shrinks[:i])
                                 for i in reversed(range(num_stages)))
        self._freeze_stages()

    @staticmethod
    def _check_numbers(name: str, values: Sequence[int], number: int, num_stages: int) -> None:
        if len(values) != number:
            raise ConfigError(f'UNet: {name}={values} must have {number} numbers with '
                              f'num_stages={num_stages}')
        limits = {'strides': (1, 2), 'downsamples': (0, 1)}.get(name, (1, math.inf))
        if not all(isinstance(value, int) and limits[0] <= value <= limits[1] for value in values):
            what = {'strides': '1 or 2', 'downsamples': 'True or False'}.get(name, '1 or more')
            raise ConfigError(f'UNet: {name}={values}: each must be {what}')

    def parts(self) -> list[list[nn.Module]]:
        """The stages of the encoder, then those of the decoder from the smallest map on."""
        return [[stage] for stage in [*self.encoder, *reversed(self.decoder)]]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        self._check_images(x)
        self._check_size(x)
        maps = []
        for stage in self.encoder:
            x = stage(x)
            maps.append(x)
        outs = [maps.pop()]
        for stage in reversed(self.decoder):
            outs.append(stage(maps.pop(), outs[-1]))
        return tuple(outs)

    def _check_size(self, x: Tensor) -> None:
        """Raise ConfigError for images whose maps would not fit onto each other."""
        height, width = x.shape[2:]
        if type(height) is int and (height % self.size_divisor or width % self.size_divisor):
            raise ConfigError(
                f'UNet: images of {height} x {width}, but it takes sides that are multiples of '
                f'{self.size_divisor}: let the crop_size of the pipeline and of test_cfg be such, '
                f"or add the step dict(type='Pad', size_divisor={self.size_divisor})")
