"""The blocks of MobileNetV2 and MobileNetV3, which are wide inside and narrow outside."""
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmcv_replace.cnn import ConvModule
from mmcv_replace.cnn.bricks.layer_cfg import BN, RELU
from mmcv_replace.utils.errors import ConfigError

from .conv_blocks import run_blocks
from .se_layer import SELayer

RELU6 = {'type': 'ReLU6'}


class _Block(nn.Module):
    """branch(x), plus x where `shortcut` says so.

    `with_cp` computes the block again in backward instead of keeping what it needs;
    `recompute_norms` computes only norms and activations again.
    """

    recompute_norms = False
    shortcut: bool
    with_cp: bool

    def branch(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _run(self, x: Tensor) -> Tensor:
        return x + self.branch(x) if self.shortcut else self.branch(x)

    def forward(self, x: Tensor) -> Tensor:
        if self.with_cp and x.requires_grad:
            return checkpoint(self._run, x, use_reentrant=False)
        return self._run(x)


class InvertedResidual(_Block):
    """1 x 1 expansion, depthwise 3 x 3, linear 1 x 1 (MobileNetV2, arXiv:1801.04381).

    x: [N, in_channels, H, W] -> [N, out_channels, H / stride, W / stride]. Between the 1 x 1
    convolutions there are in_channels * expand_ratio channels; a ratio of 1 has no expansion. With
    stride 1 and as many channels as before, x is added.
    """

    runs_in_order = True

    def __init__(self, in_channels: int, out_channels: int, stride: int, expand_ratio: float,
                 dilation: int = 1, conv_cfg: dict | None = None, norm_cfg: dict | None = BN,
                 act_cfg: dict | None = RELU6, with_cp: bool = False) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ConfigError(f'InvertedResidual: stride={stride} must be 1 or 2')
        self.stride = stride
        self.with_cp = with_cp
        self.shortcut = self.use_res_connect = stride == 1 and in_channels == out_channels
        hidden = round(in_channels * expand_ratio)
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        expand = [] if expand_ratio == 1 else [
            ConvModule(in_channels, hidden, 1, act_cfg=act_cfg, **layers)]
        self.conv = nn.Sequential(
            *expand,
            ConvModule(hidden, hidden, 3, stride=stride, padding=dilation, dilation=dilation,
                       groups=hidden, act_cfg=act_cfg, **layers),
            ConvModule(hidden, out_channels, 1, act_cfg=None, **layers))

    def branch(self, x: Tensor) -> Tensor:
        return run_blocks(self.conv, x, self.recompute_norms)


class InvertedResidualV3(_Block):
    """1 x 1 expansion, depthwise, weighted channels, linear 1 x 1 (arXiv:1905.02244).

    x: [N, in_channels, H, W] -> [N, out_channels, H / stride, W / stride]. `se_cfg`: arguments of
    SELayer, which weights the `mid_channels` channels; None leaves it out. With stride 1 and as
    many channels as before, x is added. A stride of 2 pads as TensorFlow does.
    """

    runs_in_order = True

    def __init__(self, in_channels: int, out_channels: int, mid_channels: int,
                 kernel_size: int = 3, stride: int = 1, se_cfg: dict | None = None,
                 with_expand_conv: bool = True, conv_cfg: dict | None = None,
                 norm_cfg: dict | None = BN, act_cfg: dict | None = RELU,
                 with_cp: bool = False) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ConfigError(f'InvertedResidualV3: stride={stride} must be 1 or 2')
        if not with_expand_conv and mid_channels != in_channels:
            raise ConfigError(f'InvertedResidualV3: without the expansion, mid_channels='
                              f'{mid_channels} must equal in_channels={in_channels}: set '
                              'with_expand_conv=True, or make them equal')
        self.with_cp = with_cp
        self.shortcut = self.with_res_shortcut = stride == 1 and in_channels == out_channels
        self.with_se = se_cfg is not None
        self.with_expand_conv = with_expand_conv
        if with_expand_conv:
            self.expand_conv = ConvModule(in_channels, mid_channels, 1, conv_cfg=conv_cfg,
                                          norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.depthwise_conv = ConvModule(
            mid_channels, mid_channels, kernel_size, stride=stride, padding=kernel_size // 2,
            groups=mid_channels, norm_cfg=norm_cfg, act_cfg=act_cfg,
            conv_cfg=dict(type='Conv2dAdaptivePadding') if stride == 2 else conv_cfg)
        if self.with_se:
            self.se = SELayer(**se_cfg)
        self.linear_conv = ConvModule(mid_channels, out_channels, 1, conv_cfg=conv_cfg,
                                      norm_cfg=norm_cfg, act_cfg=None)

    def branch(self, x: Tensor) -> Tensor:
        blocks = [self.expand_conv] if self.with_expand_conv else []
        blocks.append(self.depthwise_conv)
        if not self.with_se:
            return run_blocks([*blocks, self.linear_conv], x, self.recompute_norms)
        x = run_blocks(blocks, x, self.recompute_norms)
        if not self.linear_conv.is_plain:
            return self.linear_conv(self.se(x))
        return self.linear_conv.after_conv(_weighted_conv(x, self.se.weights(x),
                                                          self.linear_conv.conv))


def _weighted_conv(x: Tensor, channel_weights: Tensor, conv: nn.Conv2d) -> Tensor:
    """conv(x * channel_weights) for a 1 x 1 convolution, without the weighted map.

    x: [N, C, H, W], channel_weights: [N, C, 1, 1]. Each image has a kernel of its own instead.
    """
    kernels = conv.weight.flatten(1) * channel_weights.flatten(1).unsqueeze(1)
    if x.is_contiguous(memory_format=torch.channels_last):  # and so is the result
        pixels = x.flatten(2).transpose(1, 2)
        out = torch.matmul(pixels, kernels.transpose(1, 2)).transpose(1, 2)
    else:
        out = torch.matmul(kernels, x.flatten(2))
    out = out.unflatten(2, x.shape[2:])
    return out if conv.bias is None else out + conv.bias.view(-1, 1, 1)
