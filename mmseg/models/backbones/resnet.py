"""ResNet and its variants with other stems and shortcuts, dilated for segmentation."""
import math
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.cnn import build_conv_layer, build_norm_layer, constant_init
from mmcv_replace.cnn.bricks.layer_cfg import BN
from mmcv_replace.cnn.utils.recompute import norm_relu_conv
from mmcv_replace.utils.errors import ConfigError, ConfigKeyError

from ..builder import BACKBONES
from ..utils import ResLayer
from .base_backbone import BaseBackbone
from .resnet_blocks import (
    BasicBlock,
    Bottleneck,
    ResidualBlock,
    add_conv,
    named_norm,
    plugins_of_stage,
)


@BACKBONES.register_module()
class ResNet(BaseBackbone):
    """Residual network (arXiv:1512.03385).

    Stage i has the stride `strides[i]`, the dilation `dilations[i]` and base_channels * 2**i
    planes; the stages in `out_indices` give the output maps. `multi_grid` sets the dilation of
    each block of the last stage; `contract_dilation` halves the dilation of the first block of a
    dilated stage.
    `deep_stem`: three 3 x 3 convolutions instead of one 7 x 7; `avg_down`: shortcuts shrink by
    average pooling (both arXiv:1812.01187). `style`: see Bottleneck. `dcn` and `stage_with_dcn`:
    the convolution that replaces the 3 x 3 ones, and the stages that have it. `plugins`: dicts of
    cfg, position, and stages (one bool a stage; all without it).
    `with_cp` computes each block again in backward, which trades time for memory. The attribute
    `recompute_norms`, also of the blocks, saves memory at little cost and with the same results;
    the config's `recompute_norms` sets it. `zero_init_residual` starts each block as the identity.
    """

    arch_settings = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }

    # In timm the deep stem is `conv1`, a Sequential of six layers, followed by `bn1`.
    foreign_keys = {'conv1.0.weight': ((r'^conv1\.', 'stem.'), (r'^bn1\.', 'stem.7.'))}
    # Options whose numbers must be 1 or more.
    positive: tuple[str, ...] = ('in_channels', 'stem_channels', 'base_channels', 'strides',
                                 'dilations', 'multi_grid')
    runs_in_order = True
    recompute_norms = False
    norm1 = named_norm(1)

    def __init__(
        self,
        depth: int,
        in_channels: int = 3,
        stem_channels: int = 64,
        base_channels: int = 64,
        num_stages: int = 4,
        strides: Sequence[int] = (1, 2, 2, 2),
        dilations: Sequence[int] = (1, 1, 1, 1),
        out_indices: Sequence[int] = (0, 1, 2, 3),
        style: str = 'pytorch',
        deep_stem: bool = False,
        avg_down: bool = False,
        frozen_stages: int = -1,
        conv_cfg: dict | None = None,
        norm_cfg: dict = BN,
        norm_eval: bool = False,
        dcn: dict | None = None,
        stage_with_dcn: Sequence[bool] = (False, False, False, False),
        plugins: Sequence[dict] | None = None,
        multi_grid: Sequence[int] | None = None,
        contract_dilation: bool = False,
        with_cp: bool = False,
        zero_init_residual: bool = True,
        pretrained: str | None = None,
        init_cfg: dict | Sequence[dict] | None = None,
    ) -> None:
        super().__init__(in_channels, frozen_stages, norm_eval, pretrained, init_cfg)
        self.block, stage_blocks = self._architecture(depth)
        self.stage_blocks = stage_blocks[:num_stages]
        self.depth = depth
        self.stem_channels = stem_channels
        self.base_channels = base_channels
        self.num_stages = num_stages
        self.strides = strides
        self.dilations = dilations
        self.out_indices = out_indices
        self.style = style
        self.deep_stem = deep_stem
        self.avg_down = avg_down
        self.conv_cfg = conv_cfg
        self.norm_cfg = norm_cfg
        self.dcn = dcn
        self.stage_with_dcn = stage_with_dcn
        self.plugins = plugins
        self.multi_grid = multi_grid
        self.contract_dilation = contract_dilation
        self.with_cp = with_cp
        self.zero_init_residual = zero_init_residual
        self._check_stages()
        self._make_stem_layer(in_channels, stem_channels)
        self._make_stages()
        self._freeze_stages()

    def _architecture(self, depth: int) -> tuple[type[nn.Module], tuple[int, ...]]:
        if depth not in self.arch_settings:
            raise ConfigKeyError(f'{type(self).__name__} has no depth {depth!r}: use one of '
                                 f'{", ".join(map(str, self.arch_settings))}')
        return self.arch_settings[depth]

    def _check_stages(self) -> None:
        name = type(self).__name__
        stages = self.num_stages
        for key in self.positive:
            value = getattr(self, key)
            numbers = value if isinstance(value, list | tuple) else [value]
            least = 2 if key == 'stem_channels' and self.deep_stem else 1
            if value is not None and not all(
                    isinstance(number, int) and number >= least for number in numbers):
                raise ConfigError(f'{name}: {key}={value!r} must be {least} or more')
        if not 1 <= stages <= 4:
            raise ConfigError(f'{name}: num_stages={stages} must be 1, 2, 3 or 4')
        if not len(self.strides) == len(self.dilations) == stages:
            raise ConfigError(f'{name}: strides={self.strides} and dilations={self.dilations} '
                              f'must have num_stages={stages} numbers each')
        if len(self.stage_with_dcn) < stages:
            raise ConfigError(f'{name}: stage_with_dcn={self.stage_with_dcn} must say yes or no '
                              f'for each of the {stages} stages')
        if not self.out_indices or not all(0 <= i < stages for i in self.out_indices):
            raise ConfigError(f'{name}: out_indices={self.out_indices} must be numbers of stages, '
                              f'0 to {stages - 1}')
        if self.multi_grid is not None and len(self.multi_grid) != self.stage_blocks[-1]:
            raise ConfigError(f'{name}: multi_grid={self.multi_grid} must have one dilation for '
                              f'each of the {self.stage_blocks[-1]} blocks of the last stage')

    def make_res_layer(self, **kwargs: object) -> nn.Module:
        """Make one stage; variants with other blocks override it."""
        return ResLayer(**kwargs)

    def make_stage_plugins(self, plugins: Sequence[dict], stage_idx: int) -> list[dict]:
        """The plugins (dicts of cfg and position) of a stage, counted from 0."""
        return plugins_of_stage(plugins, stage_idx)

    def _make_stages(self) -> None:
        self.res_layers: list[str] = []
        self.inplanes = self.stem_channels
        channels = []
        for i, num_blocks in enumerate(self.stage_blocks):
            planes = self.base_channels * 2**i
            layer = self.make_res_layer(
                block=self.block,
                inplanes=self.inplanes,
                planes=planes,
                num_blocks=num_blocks,
                stride=self.strides[i],
                dilation=self.dilations[i],
                style=self.style,
                avg_down=self.avg_down,
                with_cp=self.with_cp,
                conv_cfg=self.conv_cfg,
                norm_cfg=self.norm_cfg,
                dcn=self.dcn if self.stage_with_dcn[i] else None,
                plugins=self.plugins and self.make_stage_plugins(self.plugins, i),
                multi_grid=self.multi_grid if i == self.num_stages - 1 else None,
                contract_dilation=self.contract_dilation)
            self.inplanes = planes * self.block.expansion
            channels.append(self.inplanes)
            self.res_layers.append(f'layer{i + 1}')
            self.add_module(self.res_layers[-1], layer)
        self.feat_dim = channels[-1]
        given_out = sorted(set(self.out_indices))
        self.out_channels = tuple(channels[i] for i in given_out)
        # The stem shrinks the image four times.
        self.out_strides = tuple(4 * math.prod(self.strides[:i + 1]) for i in given_out)

    def _make_stem_layer(self, in_channels: int, stem_channels: int) -> None:
        if self.deep_stem:
            half = stem_channels // 2
            layers: list[nn.Module] = []
            for c_in, c_out, stride in ((in_channels, half, 2), (half, half, 1),
                                        (half, stem_channels, 1)):
                layers += [
                    build_conv_layer(self.conv_cfg, c_in, c_out, 3, stride=stride, padding=1,
                                     bias=False),
                    build_norm_layer(self.norm_cfg, c_out)[1],
                    nn.ReLU(inplace=True),
                ]
            self.stem = nn.Sequential(*layers)
        else:
            add_conv(self, 1, self.conv_cfg, in_channels, stem_channels, 7, stride=2)
            self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

    def parts(self) -> list[list[nn.Module]]:
        stem = [self.stem] if self.deep_stem else [self.conv1, self.norm1]
        return [stem, *([getattr(self, name)] for name in self.res_layers)]

    def init_weights(self, pretrained: str | None = None) -> None:
        """Kaiming convolutions, norms 1 (0 at the end of a block with `zero_init_residual`).

        Or the weights of the file `pretrained`; see StartingModule.
        """
        if self.is_init and pretrained is None:
            return
        super().init_weights(pretrained)
        if self.is_pretrained:
            return
        for module in self.modules():
            if isinstance(module, ResidualBlock):
                if hasattr(module.conv2, 'conv_offset'):
                    constant_init(module.conv2.conv_offset, 0)
                if self.zero_init_residual:
                    constant_init(module.last_norm, 0)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        self._check_images(x)
        if self.deep_stem:
            x = self._run_deep_stem(x)
        else:
            x = self.relu(self.norm1(self.conv1(x)))
        x = self.maxpool(x)
        outs = []
        for i, name in enumerate(self.res_layers):
            x = getattr(self, name)(x)
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)

    def _run_deep_stem(self, x: Tensor) -> Tensor:
        if not self.recompute_norms:
            return self.stem(x)
        conv1, norm1, relu1, conv2, norm2, relu2, conv3, norm3, relu3 = self.stem
        x = norm_relu_conv(norm1, relu1, conv2, conv1(x), recompute=True)
        return relu3(norm3(norm_relu_conv(norm2, relu2, conv3, x, recompute=True)))


@BACKBONES.register_module()
class ResNetV1c(ResNet):
    """ResNet with a deep stem (arXiv:1812.01187)."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(deep_stem=True, avg_down=False, **kwargs)


@BACKBONES.register_module()
class ResNetV1d(ResNet):
    """ResNet with a deep stem and average pooling in the shortcuts (arXiv:1812.01187)."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(deep_stem=True, avg_down=True, **kwargs)
