"""One module of HRNet: parallel branches of residual blocks, and the exchange between them."""
from collections.abc import Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.cnn import build_conv_layer, build_norm_layer
from mmcv_replace.cnn.bricks.layer_cfg import BN
from mmcv_replace.cnn.utils.recompute import norm_relu_conv
from mmcv_replace.utils.errors import ConfigError
from mmseg.ops import Upsample, resize

from ..utils import ResLayer
from .resnet_blocks import ResidualBlock


def conv_norm(conv_cfg: dict | None, norm_cfg: dict, in_channels: int, out_channels: int,
              kernel_size: int, stride: int = 1, relu: bool = True) -> nn.Sequential:
    """Convolution, norm and, with `relu`, a ReLU: a step of `run_steps`."""
    conv = build_conv_layer(conv_cfg, in_channels, out_channels, kernel_size, stride=stride,
                            padding=kernel_size // 2, bias=False)
    norm = build_norm_layer(norm_cfg, out_channels)[1]
    return nn.Sequential(conv, norm, *([nn.ReLU(inplace=True)] if relu else []))


def run_steps(steps: Sequence[nn.Sequential], x: Tensor, recompute: bool) -> Tensor:
    """Run steps of `conv_norm`, of which all but the last have a ReLU; see `norm_relu_conv`."""
    x = steps[0][0](x)
    for (_, norm, relu), (conv, *_) in pairwise(steps):
        x = norm_relu_conv(norm, relu, conv, x, recompute)
    for layer in steps[-1][1:]:
        x = layer(x)
    return x


class HRModule(nn.Module):
    """Residual blocks on maps of halving resolution, which are then summed into each other.

    A list of maps x[i]: [N, in_channels[i], H / 2**i, W / 2**i] -> the same with
    num_channels[i] * expansion channels; without `multiscale_output` the first of them alone.
    `in_channels` is updated to the channels behind the branches.
    """

    recompute_norms = False

    def __init__(self, num_branches: int, blocks: type[ResidualBlock], num_blocks: Sequence[int],
                 in_channels: list[int], num_channels: Sequence[int],
                 multiscale_output: bool = True, with_cp: bool = False,
                 conv_cfg: dict | None = None, norm_cfg: dict = BN) -> None:
        super().__init__()
        for name, values in (('num_blocks', num_blocks), ('num_channels', num_channels),
                             ('in_channels', in_channels)):
            if len(values) != num_branches:
                raise ConfigError(f'HRModule: {name}={list(values)} must have a number for each '
                                  f'of the num_branches={num_branches} branches')
        self.in_channels = in_channels
        self.num_branches = num_branches
        self.multiscale_output = multiscale_output
        self.with_cp = with_cp
        self.conv_cfg = conv_cfg
        self.norm_cfg = norm_cfg
        self.branches = nn.ModuleList(
            ResLayer(blocks, inplanes, planes, number, with_cp=with_cp, conv_cfg=conv_cfg,
                     norm_cfg=norm_cfg)
            for inplanes, planes, number in zip(in_channels, num_channels, num_blocks, strict=True))
        in_channels[:] = (planes * blocks.expansion for planes in num_channels)
        self.fuse_layers = self._make_fuse_layers(in_channels)
        self.relu = nn.ReLU(inplace=False)

    def _make_fuse_layers(self, channels: Sequence[int]) -> nn.ModuleList | None:
        """Layers [i][j] that bring map j to the size and the channels of map i."""
        if self.num_branches == 1:
            return None
        numbers = range(self.num_branches if self.multiscale_output else 1)
        return nn.ModuleList(
            nn.ModuleList(self._make_exchange(i, j, channels) for j in range(self.num_branches))
            for i in numbers)

    def _make_exchange(self, i: int, j: int, channels: Sequence[int]) -> nn.Sequential | None:
        layers = (self.conv_cfg, self.norm_cfg)
        if i == j:
            return None
        if j > i:
            return nn.Sequential(
                *conv_norm(*layers, channels[j], channels[i], 1, relu=False),
                Upsample(scale_factor=2**(j - i), mode='bilinear', align_corners=False))
        inner = [conv_norm(*layers, channels[j], channels[j], 3, 2) for _ in range(i - j - 1)]
        return nn.Sequential(
            *inner, conv_norm(*layers, channels[j], channels[i], 3, 2, relu=False))

    def forward(self, x: Sequence[Tensor]) -> list[Tensor]:
        maps = [branch(each) for branch, each in zip(self.branches, x, strict=True)]
        if self.fuse_layers is None:
            return maps
        return [self._fuse(i, maps) for i in range(len(self.fuse_layers))]

    def _fuse(self, i: int, maps: Sequence[Tensor]) -> Tensor:
        """The sum of all maps at the size of map i, behind a ReLU."""
        total = None
        for j, layers in enumerate(self.fuse_layers[i]):
            if i == j:
                continue
            term = (run_steps(layers, maps[j], self.recompute_norms) if j < i
                    else self._enlarged(layers, maps[j], maps[i].shape[2:]))
            # No layer needs its own result for its gradients, so that sums may be in place.
            total = term if total is None else total.add_(term)
        return F.relu_(total.add_(maps[i]))

    def _enlarged(self, layers: nn.Sequential, x: Tensor, size: tuple[int, int]) -> Tensor:
        for layer in layers:
            x = layer(x)
        # Odd sizes: the map is enlarged by a power of two and then a little smaller.
        return x if x.shape[2:] == size else resize(x, size, mode='bilinear', align_corners=False)
