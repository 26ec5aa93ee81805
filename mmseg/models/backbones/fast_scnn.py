"""Fast-SCNN, which computes details and context from the same first layers."""
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcv_replace.cnn import ConvModule, DepthwiseSeparableConvModule
from mmcv_replace.cnn.bricks.layer_cfg import BN, RELU
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import resize

from ..builder import BACKBONES
from ..utils import PPM, InvertedResidual
from .base_backbone import BaseBackbone


class LearningToDownsample(nn.Module):
    """Three convolutions: [N, in_channels, H, W] -> [N, out_channels, H / 8, W / 8].

    The last two are depthwise separable. `dw_channels`: output channels of the first two.
    `dw_act_cfg` and `revised`: see FastSCNN.
    """

    def __init__(self, in_channels: int, dw_channels: Sequence[int], out_channels: int,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN, act_cfg: dict = RELU,
                 dw_act_cfg: dict | str | None = 'default', revised: bool = False) -> None:
        super().__init__()
        first, second = dw_channels
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.conv = ConvModule(in_channels, first, 3, stride=2, padding=1 if revised else 0,
                               **layers)
        self.dsconv1, self.dsconv2 = (
            DepthwiseSeparableConvModule(before, after, 3, stride=2, padding=1,
                                         dw_act_cfg=dw_act_cfg, **layers)
            for before, after in ((first, second), (second, out_channels)))

    def forward(self, x: Tensor) -> Tensor:
        return self.dsconv2(self.dsconv1(self.conv(x)))


class GlobalFeatureExtractor(nn.Module):
    """Three groups of inverted residuals and pyramid pooling, as in PSPNet (arXiv:1612.01105).

    x: [N, in_channels, H, W] -> [N, out_channels, H / s, W / s], where s is the product of the
    `strides` of the groups. `block_channels`, `num_blocks`: of each group; `expand_ratio`: of the
    blocks. `revised`: see FastSCNN.
    """

    def __init__(self, in_channels: int = 64, block_channels: Sequence[int] = (64, 96, 128),
                 out_channels: int = 128, expand_ratio: int = 6,
                 num_blocks: Sequence[int] = (3, 3, 3), strides: Sequence[int] = (2, 2, 1),
                 pool_scales: Sequence[int] = (1, 2, 3, 6), conv_cfg: dict | None = None,
                 norm_cfg: dict = BN, act_cfg: dict = RELU, align_corners: bool = False,
                 revised: bool = False) -> None:
        super().__init__()
        if not len(block_channels) == len(num_blocks) == len(strides) == 3:
            raise ConfigError(f'GlobalFeatureExtractor: block_channels={block_channels}, '
                              f'num_blocks={num_blocks} and strides={strides} must have three '
                              'numbers each')
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        block_act = dict(act_cfg=act_cfg) if revised else {}
        width = in_channels
        for i, (channels, blocks, stride) in enumerate(
                zip(block_channels, num_blocks, strides, strict=True), 1):
            self.add_module(f'bottleneck{i}', nn.Sequential(*(
                InvertedResidual(width if j == 0 else channels, channels,
                                 stride if j == 0 else 1, expand_ratio, **layers, **block_act)
                for j in range(blocks))))
            width = channels
        layers['act_cfg'] = act_cfg
        self.ppm = PPM(pool_scales, width, width // 4, align_corners=align_corners, **layers)
        self.out = ConvModule(width + len(pool_scales) * (width // 4), out_channels,
                              kernel_size=3 if revised else 1, padding=1 if revised else 0,
                              **layers)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bottleneck3(self.bottleneck2(self.bottleneck1(x)))
        return self.out(torch.cat([x, *self.ppm(x)], dim=1))


class FeatureFusionModule(nn.Module):
    """relu(higher + enlarged lower), each after a 1 x 1 convolution.

    higher: [N, higher_in_channels, H, W], lower: [N, lower_in_channels, h, w] ->
    [N, out_channels, H, W]. The enlarged map is convolved before that, by `dwconv`.
    Where that is 1 x 1, it is linear in each pixel like the enlarging, and `fuse_pyramid` convolves
    the small map first, with the same result up to rounding. `revised`: see FastSCNN.
    """

    def __init__(self, higher_in_channels: int, lower_in_channels: int, out_channels: int,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN, act_cfg: dict = RELU,
                 align_corners: bool = False, revised: bool = False,
                 fuse_pyramid: bool = True) -> None:
        super().__init__()
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        self.align_corners = align_corners
        self.fuse_pyramid = fuse_pyramid and not revised
        spatial = dict(kernel_size=3, padding=1, groups=out_channels) if revised else dict(
            kernel_size=1)
        self.dwconv = ConvModule(lower_in_channels, out_channels, **spatial, act_cfg=act_cfg,
                                 **layers)
        self.conv_lower_res, self.conv_higher_res = (
            ConvModule(channels, out_channels, 1, act_cfg=None, **layers)
            for channels in (out_channels, higher_in_channels))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, higher_res_feature: Tensor, lower_res_feature: Tensor) -> Tensor:
        size = higher_res_feature.shape[2:]
        if self.fuse_pyramid and self.dwconv.is_plain:
            lower = self.dwconv.after_conv(self._enlarge(self.dwconv.conv(lower_res_feature), size))
        else:
            lower = self.dwconv(self._enlarge(lower_res_feature, size))
        return self.relu(self.conv_higher_res(higher_res_feature) + self.conv_lower_res(lower))

    def _enlarge(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        return resize(x, size, mode='bilinear', align_corners=self.align_corners)


@BACKBONES.register_module()
class FastSCNN(BaseBackbone):
    """Two branches that share their first layers (Fast-SCNN, arXiv:1902.04502).

    The maps are those of the first layers at an eighth of the image's size, of the context, and of
    both together at an eighth again; `out_indices` names those to give, in this order.
    `downsample_dw_channels`: see LearningToDownsample; `global_block_channels` and
    `global_block_strides`: see GlobalFeatureExtractor. `higher_in_channels` must be
    `global_in_channels`, the channels behind the first layers, and `lower_in_channels` must be
    `global_out_channels`. `frozen_stages` counts the first layers, the context, and the fusion.
    `revised` is the network of mmsegmentation's weights from June 2021 on: the first convolution
    has padding, the last one of the context and `dwconv` of the fusion, which is then depthwise,
    are 3 x 3, the blocks have `act_cfg` instead of ReLU6. `dw_act_cfg`: the activation of the first
    depthwise convolutions, by default `act_cfg`, or none in the revised network. `fuse_pyramid`:
    see FeatureFusionModule.
    """

    def __init__(
        self,
        in_channels: int = 3,
        downsample_dw_channels: Sequence[int] = (32, 48),
        global_in_channels: int = 64,
        global_block_channels: Sequence[int] = (64, 96, 128),
        global_block_strides: Sequence[int] = (2, 2, 1),
        global_out_channels: int = 128,
        higher_in_channels: int = 64,
        lower_in_channels: int = 128,
        fusion_out_channels: int = 128,
        out_indices: Sequence[int] = (0, 1, 2),
        conv_cfg: dict | None = None,
        norm_cfg: dict = BN,
        act_cfg: dict = RELU,
        align_corners: bool = False,
        dw_act_cfg: dict | str | None = 'default',
        pretrained: str | None = None,
        init_cfg: dict | Sequence[dict] | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        revised: bool = False,
        fuse_pyramid: bool = True,
    ) -> None:
        super().__init__(in_channels, frozen_stages, norm_eval, pretrained, init_cfg)
        for one, other in (('global_in_channels', 'higher_in_channels'),
                           ('global_out_channels', 'lower_in_channels')):
            if (first := locals()[one]) != (second := locals()[other]):
                raise ConfigError(f'FastSCNN: {one}={first} must equal {other}={second}')
        if not out_indices or not all(0 <= i <= 2 for i in out_indices):
            raise ConfigError(f'FastSCNN: out_indices={out_indices} must be 0, 1 or 2 each')
        self.out_indices = out_indices
        self.revised = revised
        if revised and dw_act_cfg == 'default':
            dw_act_cfg = None
        self.out_margin = 0 if revised else 2
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.learning_to_downsample = LearningToDownsample(
            in_channels, downsample_dw_channels, global_in_channels, revised=revised,
            dw_act_cfg=dw_act_cfg, **layers)
        self.global_feature_extractor = GlobalFeatureExtractor(
            global_in_channels, global_block_channels, global_out_channels,
            strides=global_block_strides, align_corners=align_corners,
            revised=revised, **layers)
        self.feature_fusion = FeatureFusionModule(
            higher_in_channels, lower_in_channels, fusion_out_channels,
            align_corners=align_corners, revised=revised, fuse_pyramid=fuse_pyramid, **layers)
        context = 8
        for stride in global_block_strides:
            context *= stride
        maps = ((global_in_channels, 8), (global_out_channels, context), (fusion_out_channels, 8))
        self.out_channels = tuple(maps[i][0] for i in out_indices)
        self.out_strides = tuple(maps[i][1] for i in out_indices)
        self._freeze_stages()

    def parts(self) -> list[list[nn.Module]]:
        return [[self.learning_to_downsample], [self.global_feature_extractor],
                [self.feature_fusion]]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        self._check_images(x)
        higher = self.learning_to_downsample(x)
        lower = self.global_feature_extractor(higher)
        outs = (higher, lower, self.feature_fusion(higher, lower))
        return tuple(outs[i] for i in self.out_indices)
