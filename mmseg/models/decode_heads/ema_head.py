"""Expectation-maximisation attention head."""
import math
from collections.abc import Sequence

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError

from ..builder import HEADS
from ..utils import convolve_all
from .decode_head import BaseDecodeHead


class EMAModule(nn.Module):
    """Rebuilds a map from a few bases, found by expectation maximisation.

    x: [N, channels, h, w] -> the same shape, without gradient. Each of `num_stages` steps assigns
    the pixels to the bases by a softmax, and moves the bases to the means of their pixels.
    `bases` [1, channels, num_bases] are those to start from: in training they follow the bases
    found, averaged over the batch and all processes, by `momentum` a step.
    """

    def __init__(self, channels: int, num_bases: int, num_stages: int, momentum: float) -> None:
        super().__init__()
        self.num_stages = num_stages
        self.momentum = momentum
        bases = torch.randn(1, channels, num_bases) * math.sqrt(2 / num_bases)
        self.register_buffer('bases', F.normalize(bases, dim=1))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        pixels = x.flatten(2)
        bases = self.bases.transpose(1, 2).to(x.dtype).expand(x.size(0), -1, -1)  # [N, K, C]
        for _ in range(self.num_stages):
            shares = (bases @ pixels).softmax(dim=1)  # [N, K, h * w]
            # The means come from sums, so that no share is divided.
            total = shares.sum(dim=2, keepdim=True).clamp(min=1e-12)
            bases = F.normalize(shares @ pixels.transpose(1, 2) / total, dim=2)
        if self.training:
            self._follow(bases)
        return (bases.transpose(1, 2) @ shares.to(bases.dtype)).view(x.shape)

    def _follow(self, bases: Tensor) -> None:
        mean = bases.mean(dim=0, keepdim=True).transpose(1, 2).to(self.bases.dtype)
        mean = F.normalize(_mean_over_processes(mean), dim=1)
        self.bases.lerp_(mean, self.momentum)


def _mean_over_processes(x: Tensor) -> Tensor:
    if not (dist.is_available() and dist.is_initialized()):
        return x
    total = x.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total / dist.get_world_size()


@HEADS.register_module()
class EMAHead(BaseDecodeHead):
    """Attention to a few bases instead of to all pixels (EMANet, arXiv:1907.13426).

    `num_bases` bases of `ema_channels` are refined in `num_stages` steps for each image; `momentum`
    is that of the bases to start from. `concat_input` adds a convolution over the input
    concatenated with the result, which by default (`fuse_concat`) is computed without that.
    """

    def __init__(self, ema_channels: int, num_bases: int, num_stages: int,
                 concat_input: bool = True, momentum: float = 0.1, fuse_concat: bool = True,
                 **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name, value in (('ema_channels', ema_channels), ('num_bases', num_bases),
                            ('num_stages', num_stages)):
            if value < 1:
                raise ConfigError(f'EMAHead: {name}={value} must be 1 or more')
        if not 0 <= momentum <= 1:
            raise ConfigError(f'EMAHead: momentum={momentum} must be from 0, which leaves the '
                              'bases as they are, to 1')
        self.ema_channels = ema_channels
        self.num_bases = num_bases
        self.num_stages = num_stages
        self.concat_input = concat_input
        self.momentum = momentum
        self.fuse_concat = fuse_concat
        self.ema_module = EMAModule(ema_channels, num_bases, num_stages, momentum)
        self.ema_in_conv = self.conv_module(self.in_channels, ema_channels, 3)
        # Lets features have both signs; no gradient reaches it, as in the published models.
        self.ema_mid_conv = self.conv_module(ema_channels, ema_channels, 1, norm_cfg=None,
                                             act_cfg=None)
        self.ema_mid_conv.requires_grad_(False)
        self.ema_out_conv = self.conv_module(ema_channels, ema_channels, 1, act_cfg=None)
        self.bottleneck = self.conv_module(ema_channels, self.channels, 3)
        if concat_input:
            self.conv_cat = self.conv_module(self.in_channels + self.channels, self.channels, 3)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        x = self._transform_inputs(inputs)
        features = self.ema_in_conv(x)
        with torch.no_grad():
            rebuilt = self.ema_module(self.ema_mid_conv(features)).relu_()
        out = self.bottleneck(F.relu_(features + self.ema_out_conv(rebuilt)))
        if self.concat_input:
            out = convolve_all(self.conv_cat, [x, out], self.fuse_concat)
        return self.cls_seg(out)
