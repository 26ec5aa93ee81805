"""MobileNetV3, dilated for segmentation."""
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.cnn.bricks.layer_cfg import BN
from mmcv_replace.runner.checkpoints.key_names import renames
from mmcv_replace.utils.errors import ConfigError, ConfigKeyError

from ..builder import BACKBONES
from ..utils import InvertedResidualV3
from ..utils.se_layer import HARD_SIGMOID
from .base_backbone import BaseBackbone

ADAPTIVE = {'type': 'Conv2dAdaptivePadding'}
HSWISH = {'type': 'HSwish'}
RELU = {'type': 'ReLU'}


@dataclass(frozen=True)
class Row:
    """A block: kernel size, channels inside, output channels, weights of channels, and stride."""

    kernel: int
    mid: int
    out: int
    weighted: bool
    act: dict
    stride: int


SMALL = (
    Row(3, 16, 16, True, RELU, 2), Row(3, 72, 24, False, RELU, 2), Row(3, 88, 24, False, RELU, 1),
    Row(5, 96, 40, True, HSWISH, 2), *[Row(5, 240, 40, True, HSWISH, 1)] * 2,
    Row(5, 120, 48, True, HSWISH, 1), Row(5, 144, 48, True, HSWISH, 1),
    Row(5, 288, 96, True, HSWISH, 2), *[Row(5, 576, 96, True, HSWISH, 1)] * 2)
LARGE = (
    Row(3, 16, 16, False, RELU, 1), Row(3, 64, 24, False, RELU, 2), Row(3, 72, 24, False, RELU, 1),
    Row(5, 72, 40, True, RELU, 2), *[Row(5, 120, 40, True, RELU, 1)] * 2,
    Row(3, 240, 80, False, HSWISH, 2), Row(3, 200, 80, False, HSWISH, 1),
    *[Row(3, 184, 80, False, HSWISH, 1)] * 2, Row(3, 480, 112, True, HSWISH, 1),
    Row(3, 672, 112, True, HSWISH, 1), Row(5, 672, 160, True, HSWISH, 2),
    *[Row(5, 960, 160, True, HSWISH, 1)] * 2)


@BACKBONES.register_module()
class MobileNetV3(BaseBackbone):
    """Inverted residuals with weighted channels and hard swish (arXiv:1905.02244).

    `arch`: 'small' or 'large'. layer0 is a convolution that halves the image, the last a 1 x 1
    convolution, and blocks stand between them; the layers in `out_indices` (0 to 12 of the small
    network, 0 to 16 of the large) give the output maps. For segmentation the third and fourth
    halving of blocks become dilations, 2 and 4. `reduction_factor` divides the channels of the
    blocks that have the dilation 4. `with_cp` computes each block again in backward.
    `frozen_stages` counts the layers.
    """

    # Blocks; the first one with dilation 2 and with dilation 4; channels of the last layer.
    arch_settings = {'small': (SMALL, 4, 9, 576), 'large': (LARGE, 7, 13, 960)}

    def __init__(
        self,
        arch: str = 'small',
        conv_cfg: dict | None = None,
        norm_cfg: dict = BN,
        out_indices: Sequence[int] = (0, 1, 12),
        frozen_stages: int = -1,
        reduction_factor: int = 1,
        norm_eval: bool = False,
        with_cp: bool = False,
        pretrained: str | None = None,
        init_cfg: dict | Sequence[dict] | None = None,
        in_channels: int = 3,
    ) -> None:
        super().__init__(in_channels, frozen_stages, norm_eval, pretrained, init_cfg)
        if arch not in self.arch_settings:
            raise ConfigKeyError(f'MobileNetV3 has no arch {arch!r}: use one of '
                                 f'{", ".join(self.arch_settings)}')
        self.arch = arch
        self.out_indices = out_indices
        self.reduction_factor = reduction_factor
        self.with_cp = with_cp
        rows, self._dilated, self._twice_dilated, last = self.arch_settings[arch]
        self._check(len(rows) + 1)
        kind = f'MobileNetV3 ({arch})'
        # Layers behind the last map are dropped with the classifier.
        self.foreign_keys = {
            'features.0.0.weight': renames(kind, 'torchvision'),
            'conv_stem.weight': ((r'^conv_head\.|^norm_head\.', 'head.'), *renames(kind, 'timm'))}
        common = dict(norm_cfg=norm_cfg)
        self.layer0 = ConvModule(in_channels, 16, 3, stride=2, padding=1, conv_cfg=ADAPTIVE,
                                 act_cfg=HSWISH, **common)
        self.layers = ['layer0']
        channels, strides = [16], [2]
        for i, row in enumerate(rows, 1):
            block, stride = self._make_block(i, row, channels[-1], dict(common, conv_cfg=conv_cfg))
            self._add(block)
            channels.append(block.linear_conv.out_channels)
            strides.append(strides[-1] * stride)
        self._add(ConvModule(channels[-1], last, 1, conv_cfg=conv_cfg, act_cfg=HSWISH, **common))
        given = sorted(set(out_indices))
        self.out_channels = tuple([*channels, last][i] for i in given)
        self.out_strides = tuple([*strides, strides[-1]][i] for i in given)
        self._freeze_stages()

    def _check(self, last: int) -> None:
        if not self.out_indices or not all(0 <= i <= last for i in self.out_indices):
            raise ConfigError(f'MobileNetV3: out_indices={self.out_indices} must be numbers of '
                              f'layers, 0 to {last} of arch={self.arch!r}')
        if self.reduction_factor < 1:
            raise ConfigError(f'MobileNetV3: reduction_factor={self.reduction_factor} must be 1 or '
                              'more')

    def _add(self, layer: nn.Module) -> None:
        self.layers.append(f'layer{len(self.layers)}')
        self.add_module(self.layers[-1], layer)

    def _make_block(self, number: int, row: Row, in_channels: int,
                    layers: dict) -> tuple[InvertedResidualV3, int]:
        """The block of `layer{number}`, and the stride that it has here."""
        mid, out = row.mid, row.out
        if number >= self._twice_dilated:
            mid, out = mid // self.reduction_factor, out // self.reduction_factor
        dilation = 4 if number >= self._twice_dilated else 2 if number >= self._dilated else 1
        stride = row.stride if dilation == 1 else 1
        block = InvertedResidualV3(
            in_channels, out, mid, row.kernel, stride, act_cfg=row.act,
            se_cfg=dict(channels=mid, ratio=4, act_cfg=(RELU, HARD_SIGMOID))
            if row.weighted else None,
            with_expand_conv=in_channels != mid, with_cp=self.with_cp, **layers)
        if row.stride == 2 and dilation > 1:
            # Its map would be halved in a classifier, where such a block does not add its input.
            block.shortcut = block.with_res_shortcut = False
        if dilation > 1:
            conv = block.depthwise_conv.conv
            conv.dilation = (dilation, dilation)
            conv.padding = (dilation * (row.kernel // 2),) * 2
        return block, stride

    def parts(self) -> list[list[nn.Module]]:
        return [[getattr(self, name)] for name in self.layers]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        self._check_images(x)
        outs = []
        for i, name in enumerate(self.layers):
            x = getattr(self, name)(x)
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)
