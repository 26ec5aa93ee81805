"""MobileNetV2, dilated for segmentation."""
from collections.abc import Sequence

from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule
from mmcv_replace.cnn.bricks.layer_cfg import BN
from mmcv_replace.runner.checkpoints.key_names import renames
from mmcv_replace.utils.errors import ConfigError

from ..builder import BACKBONES
from ..utils import InvertedResidual, make_divisible
from ..utils.inverted_residual import RELU6
from .base_backbone import BaseBackbone


@BACKBONES.register_module()
class MobileNetV2(BaseBackbone):
    """Inverted residuals with linear bottlenecks (arXiv:1801.04381).

    A stem that halves the image, then seven layers of blocks. Layer i has the stride `strides[i]`
    and, in its first block, the dilation `dilations[i]`; the layers in `out_indices` (0 to 6) give
    the output maps. `widen_factor` multiplies all numbers of channels, which are rounded to
    multiples of 8. `with_cp` computes each block again in backward. `frozen_stages` counts the stem
    as 0, and the layers from 1 to 7.
    """

    # Expansion, output channels and number of blocks of each layer.
    arch_settings = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3),
                     (6, 320, 1))
    # Layers behind the last map are dropped with the classifier.
    foreign_keys = {
        'features.0.0.weight': ((r'^features\.18\.', 'head.'),
                                *renames('MobileNetV2', 'torchvision')),
        'conv_stem.weight': ((r'^conv_head\.|^bn2\.', 'head.'), *renames('MobileNetV2', 'timm'))}

    def __init__(
        self,
        widen_factor: float = 1.0,
        strides: Sequence[int] = (1, 2, 2, 2, 1, 2, 1),
        dilations: Sequence[int] = (1, 1, 1, 1, 1, 1, 1),
        out_indices: Sequence[int] = (1, 2, 4, 6),
        frozen_stages: int = -1,
        conv_cfg: dict | None = None,
        norm_cfg: dict = BN,
        act_cfg: dict = RELU6,
        norm_eval: bool = False,
        with_cp: bool = False,
        pretrained: str | None = None,
        init_cfg: dict | Sequence[dict] | None = None,
        in_channels: int = 3,
    ) -> None:
        super().__init__(in_channels, frozen_stages, norm_eval, pretrained, init_cfg)
        self.widen_factor = widen_factor
        self.strides = strides
        self.dilations = dilations
        self.out_indices = out_indices
        self.with_cp = with_cp
        self._check()
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        width = make_divisible(32 * widen_factor, 8)
        self.conv1 = ConvModule(in_channels, width, 3, stride=2, padding=1, **layers)
        self.layers: list[str] = []
        channels, reached, stride_so_far = [], [], 2
        for i, (expansion, planes, blocks) in enumerate(self.arch_settings):
            planes = make_divisible(planes * widen_factor, 8)
            self.layers.append(f'layer{i + 1}')
            self.add_module(self.layers[-1], nn.Sequential(*(
                InvertedResidual(width if j == 0 else planes, planes,
                                 stride=strides[i] if j == 0 else 1, expand_ratio=expansion,
                                 dilation=dilations[i] if j == 0 else 1, with_cp=with_cp, **layers)
                for j in range(blocks))))
            width = planes
            stride_so_far *= strides[i]
            channels.append(width)
            reached.append(stride_so_far)
        given = sorted(set(out_indices))
        self.out_channels = tuple(channels[i] for i in given)
        self.out_strides = tuple(reached[i] for i in given)
        self._freeze_stages()

    def _check(self) -> None:
        number = len(self.arch_settings)
        for key, allowed in (('strides', (1, 2)), ('dilations', None)):
            value = getattr(self, key)
            if len(value) != number or not all(
                    each in allowed if allowed else each >= 1 for each in value):
                raise ConfigError(f'MobileNetV2: {key}={value} must be {number} numbers, '
                                  f'each {"1 or 2" if allowed else "1 or more"}')
        if not self.out_indices or not all(0 <= i < number for i in self.out_indices):
            raise ConfigError(f'MobileNetV2: out_indices={self.out_indices} must be numbers of '
                              f'layers, 0 to {number - 1}')
        if self.widen_factor <= 0:
            raise ConfigError(f'MobileNetV2: widen_factor={self.widen_factor} must be positive')

    def parts(self) -> list[list[nn.Module]]:
        return [[self.conv1], *([getattr(self, name)] for name in self.layers)]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        self._check_images(x)
        x = self.conv1(x)
        outs = []
        for i, name in enumerate(self.layers):
            x = getattr(self, name)(x)
            if i in self.out_indices:
                outs.append(x)
        return tuple(outs)
