"""Context-guided network, small enough for mobile devices."""
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmcv_replace.cnn import (
    ConvModule,
    build_activation_layer,
    build_conv_layer,
    build_norm_layer,
)
from mmcv_replace.cnn.bricks.layer_cfg import BN
from mmcv_replace.cnn.utils.recompute import norm_prelu
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import image_mean

from ..builder import BACKBONES
from .base_backbone import BaseBackbone, fit_colours, repeat_colours

PRELU = {'type': 'PReLU'}


class GlobalContextExtractor(nn.Module):
    """Weights of channels from their means: [N, channel, H, W] -> the same, weighted.

    `reduction` divides the channels between the two linear layers. `with_cp` computes it again in
    backward.
    """

    def __init__(self, channel: int, reduction: int = 16, with_cp: bool = False) -> None:
        super().__init__()
        if not 1 <= reduction <= channel:
            raise ConfigError(f'GlobalContextExtractor: reduction={reduction} must be 1 to '
                              f'channel={channel}')
        self.channel = channel
        self.reduction = reduction
        self.with_cp = with_cp
        self.fc = nn.Sequential(nn.Linear(channel, channel // reduction), nn.ReLU(inplace=True),
                                nn.Linear(channel // reduction, channel), nn.Sigmoid())

    def weights(self, x: Tensor) -> Tensor:
        """The weights alone: [N, channel, H, W] -> [N, channel, 1, 1]."""
        return self.fc(image_mean(x).flatten(1)).unflatten(1, (-1, 1, 1))

    def _run(self, x: Tensor, shortcut: Tensor | None) -> Tensor:
        weights = self.weights(x)
        return x * weights if shortcut is None else torch.addcmul(shortcut, x, weights)

    def forward(self, x: Tensor, shortcut: Tensor | None = None) -> Tensor:
        """The weighted map, plus `shortcut` of the same shape if there is one."""
        if self.with_cp and x.requires_grad:
            return checkpoint(self._run, x, shortcut, use_reentrant=False)
        return self._run(x, shortcut)


class ContextGuidedBlock(nn.Module):
    """A pixel, its neighbours near and far, and the whole image (CGNet, arXiv:1811.08201).

    x: [N, in_channels, H, W] -> [N, out_channels, H, W], or half of the size with `downsample`.
    Two depthwise convolutions, one of them with `dilation`, see the neighbours.
    `skip_connect` adds x, unless the map shrinks; `reduction`: see GlobalContextExtractor.
    """

    recompute_norms = False

    def __init__(self, in_channels: int, out_channels: int, dilation: int = 2, reduction: int = 16,
                 skip_connect: bool = True, downsample: bool = False,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN, act_cfg: dict = PRELU,
                 with_cp: bool = False) -> None:
        super().__init__()
        self.with_cp = with_cp
        self.downsample = downsample
        self.skip_connect = skip_connect and not downsample
        channels = out_channels if downsample else out_channels // 2
        self.conv1x1 = ConvModule(in_channels, channels, *((3, 2, 1) if downsample else (1, 1, 0)),
                                  conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                                  act_cfg=activation_of(act_cfg, channels))
        self.f_loc, self.f_sur = (
            build_conv_layer(conv_cfg, channels, channels, kernel_size=3, padding=spread,
                             dilation=spread, groups=channels, bias=False)
            for spread in (1, dilation))
        self.bn = build_norm_layer(norm_cfg, 2 * channels)[1]
        self.activate = build_activation_layer(activation_of(act_cfg, 2 * channels))
        if downsample:
            self.bottleneck = build_conv_layer(conv_cfg, 2 * channels, out_channels, kernel_size=1,
                                               bias=False)
        self.f_glo = GlobalContextExtractor(out_channels, reduction, with_cp)

    def _joined(self, near: Tensor) -> Tensor:
        return torch.cat([self.f_loc(near), self.f_sur(near)], dim=1)

    def _run(self, x: Tensor) -> Tensor:
        near = run_block(self.conv1x1, x, self.recompute_norms)
        out = norm_prelu(self.bn, self.activate, self._joined(near), self.recompute_norms)
        if self.downsample:
            out = self.bottleneck(out)
        return self.f_glo(out, x if self.skip_connect else None)

    def forward(self, x: Tensor) -> Tensor:
        if self.with_cp and x.requires_grad:
            return checkpoint(self._run, x, use_reentrant=False)
        return self._run(x)


class InputInjection(nn.Module):
    """The image, halved `num_downsampling` times by averages over 3 x 3 pixels."""

    def __init__(self, num_downsampling: int) -> None:
        super().__init__()
        self.pool = nn.ModuleList(nn.AvgPool2d(3, stride=2, padding=1)
                                  for _ in range(num_downsampling))

    def forward(self, x: Tensor) -> Tensor:
        for pool in self.pool:
            x = pool(x)
        return x


def run_block(block: ConvModule, x: Tensor, recompute: bool) -> Tensor:
    """Run a ConvModule; with `recompute`, only the result of its convolution is stored."""
    if recompute and block.is_plain and block.with_norm and block.with_activation:
        return norm_prelu(block.norm, block.activate, block.conv(x), True)
    return block(x)


def activation_of(act_cfg: dict, channels: int) -> dict:
    """The config of an activation of `channels` maps; a PReLU has a slope for each."""
    return dict(act_cfg, num_parameters=channels) if act_cfg.get('type') == 'PReLU' else act_cfg


@BACKBONES.register_module()
class CGNet(BaseBackbone):
    """Blocks that see a pixel's neighbours and the whole image (arXiv:1811.08201).

    Three convolutions, the first of which halves the image, then two levels of `num_blocks`
    ContextGuidedBlocks, whose first halves the map. `num_channels`: of the convolutions and of the
    two levels; `dilations` and `reductions`: of the blocks of each level. The maps before each
    level also contain the shrunken image, and those behind one the result of its first block.
    `with_cp` computes each block again in backward. `frozen_stages` counts the convolutions as 0.
    """

    default_init = (
        {'type': 'Kaiming', 'layer': ['Conv2d', 'Linear']},
        {'type': 'Constant', 'val': 1, 'layer': ['_BatchNorm', 'GroupNorm']},
        {'type': 'Constant', 'val': 0, 'layer': 'PReLU'},
    )
    out_strides = (2, 4, 8)
    recompute_norms = False

    def __init__(
        self,
        in_channels: int = 3,
        num_channels: Sequence[int] = (32, 64, 128),
        num_blocks: Sequence[int] = (3, 21),
        dilations: Sequence[int] = (2, 4),
        reductions: Sequence[int] = (8, 16),
        conv_cfg: dict | None = None,
        norm_cfg: dict = BN,
        act_cfg: dict = PRELU,
        norm_eval: bool = False,
        with_cp: bool = False,
        pretrained: str | None = None,
        init_cfg: dict | Sequence[dict] | None = None,
        frozen_stages: int = -1,
    ) -> None:
        super().__init__(in_channels, frozen_stages, norm_eval, pretrained, init_cfg)
        self.num_channels = num_channels
        self.num_blocks = num_blocks
        self.dilations = dilations
        self.reductions = reductions
        self.with_cp = with_cp
        self._check()
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        width = num_channels[0]
        self.stem = nn.ModuleList(
            ConvModule(in_channels if i == 0 else width, width, 3, stride=2 if i == 0 else 1,
                       padding=1, act_cfg=activation_of(act_cfg, width), **layers)
            for i in range(3))
        self.inject_2x = InputInjection(1)
        self.inject_4x = InputInjection(2)
        widths = [width + in_channels, 2 * num_channels[1] + in_channels, 2 * num_channels[2]]
        self.norm_prelu_0 = self._norm_act(widths[0], norm_cfg, act_cfg)
        for level in (1, 2):
            self.add_module(f'level{level}', nn.ModuleList(
                ContextGuidedBlock(widths[level - 1] if i == 0 else num_channels[level],
                                   num_channels[level], dilations[level - 1],
                                   reductions[level - 1], downsample=i == 0, act_cfg=act_cfg,
                                   with_cp=with_cp, **layers)
                for i in range(num_blocks[level - 1])))
            self.add_module(f'norm_prelu_{level}', self._norm_act(widths[level], norm_cfg, act_cfg))
        self.out_channels = tuple(widths)
        self._freeze_stages()

    def _check(self) -> None:
        for key, length in (('num_channels', 3), ('num_blocks', 2), ('dilations', 2),
                            ('reductions', 2)):
            value = getattr(self, key)
            if len(value) != length or not all(each >= 1 for each in value):
                raise ConfigError(f'CGNet: {key}={value} must be {length} numbers from 1 on')

    @staticmethod
    def _norm_act(channels: int, norm_cfg: dict, act_cfg: dict) -> nn.Sequential:
        return nn.Sequential(build_norm_layer(norm_cfg, channels)[1],
                             build_activation_layer(activation_of(act_cfg, channels)))

    def parts(self) -> list[list[nn.Module]]:
        return [[self.stem, self.norm_prelu_0], [self.level1, self.norm_prelu_1],
                [self.level2, self.norm_prelu_2]]

    def fit_input_channels(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As in BaseBackbone; the layers behind maps that end with the channels of the image too.

        Norms and activations repeat the values of R, G and B as they are.
        """
        fitted = super().fit_input_channels(weights)
        for key, own in self.state_dict().items() if self.in_channels != 3 else ():
            value = fitted.get(key)
            dim = 0 if own.dim() < 2 else 1
            if value is None or value.dim() != own.dim() or not own.dim() or (
                    own.size(dim) - value.size(dim) != self.in_channels - 3):
                continue
            features, image = value.split([value.size(dim) - 3, 3], dim)
            image = (fit_colours(image, self.in_channels) if dim
                     else repeat_colours(image, self.in_channels, 0))
            fitted[key] = torch.cat([features, image], dim)
        return fitted

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Maps of all three widths, at a half, a quarter and an eighth of the image's size."""
        self._check_images(x)
        half, quarter = self.inject_2x(x), self.inject_4x(x)
        for layer in self.stem:
            x = run_block(layer, x, self.recompute_norms)
        outs = [self._join(self.norm_prelu_0, x, half)]
        x, first = self._run_level(self.level1, outs[-1])
        outs.append(self._join(self.norm_prelu_1, x, first, quarter))
        x, first = self._run_level(self.level2, outs[-1])
        outs.append(self._join(self.norm_prelu_2, first, x))
        return tuple(outs)

    def _join(self, norm_act: nn.Sequential, *maps: Tensor) -> Tensor:
        # The image would turn the whole map to its own type and memory format.
        last = maps[0].is_contiguous(memory_format=torch.channels_last)
        order = torch.channels_last if last else torch.contiguous_format
        joined = torch.cat([each.to(maps[0].dtype).contiguous(memory_format=order)
                            for each in maps], dim=1)
        return norm_prelu(*norm_act, joined, self.recompute_norms)

    @staticmethod
    def _run_level(blocks: nn.ModuleList, x: Tensor) -> tuple[Tensor, Tensor]:
        """The results of the last block and of the first."""
        first = x = blocks[0](x)
        for block in blocks[1:]:
            x = block(x)
        return x, first
