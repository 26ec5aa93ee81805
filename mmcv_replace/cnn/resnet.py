"""Residual networks in the plain form of mmcv; mmseg.models has one with all options."""
from collections.abc import Sequence

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmcv_replace.utils.errors import ConfigError, ConfigKeyError

from .utils.classic import draw_weights, freeze, hold_norms, load_pretrained


def conv3x3(in_planes: int, out_planes: int, stride: int = 1, dilation: int = 1) -> nn.Module:
    """A convolution that keeps the size but for its stride."""
    return nn.Conv2d(in_planes, out_planes, 3, stride, padding=dilation, dilation=dilation,
                     bias=False)


class _Block(nn.Module):
    """A residual block: relu(residual(x) + downsample(x))."""

    expansion: int

    def __init__(self, stride: int, dilation: int, style: str, with_cp: bool) -> None:
        super().__init__()
        if style not in ('pytorch', 'caffe'):
            raise ConfigError(f"style={style!r} is not known: use 'pytorch' or 'caffe'")
        self.stride = stride
        self.dilation = dilation
        self.with_cp = with_cp

    def residual(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, expansion * planes, H / stride, W / stride] of a map [N, inplanes, H, W]."""
        if self.with_cp and x.requires_grad:
            out = checkpoint(self._sum, x, use_reentrant=False)
        else:
            out = self._sum(x)
        return self.relu(out)

    def _sum(self, x: Tensor) -> Tensor:
        out = self.residual(x)
        out += x if self.downsample is None else self.downsample(x)
        return out


class BasicBlock(_Block):
    """Two 3 x 3 convolutions, the first with the stride and the dilation."""

    expansion = 1
    runs_in_order = True

    def __init__(self, inplanes: int, planes: int, stride: int = 1, dilation: int = 1,
                 downsample: nn.Module | None = None, style: str = 'pytorch',
                 with_cp: bool = False) -> None:
        super().__init__(stride, dilation, style, with_cp)
        self.conv1 = conv3x3(inplanes, planes, stride, dilation)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def residual(self, x: Tensor) -> Tensor:
        return self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))


class Bottleneck(_Block):
    """1 x 1, 3 x 3 and 1 x 1 convolutions with four times as many outputs as planes.

    `style`: 'pytorch' gives the stride to the 3 x 3 convolution, 'caffe' to the first one.
    """

    expansion = 4
    runs_in_order = False  # its layers are named in another order than they run

    def __init__(self, inplanes: int, planes: int, stride: int = 1, dilation: int = 1,
                 downsample: nn.Module | None = None, style: str = 'pytorch',
                 with_cp: bool = False) -> None:
        super().__init__(stride, dilation, style, with_cp)
        first, second = (1, stride) if style == 'pytorch' else (stride, 1)
        self.conv1 = nn.Conv2d(inplanes, planes, 1, stride=first, bias=False)
        self.conv2 = conv3x3(planes, planes, second, dilation)
        self.bn1 = nn.BatchNorm2d(planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def residual(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.bn3(self.conv3(x))


def make_res_layer(block: type[_Block], inplanes: int, planes: int, blocks: int, stride: int = 1,
                   dilation: int = 1, style: str = 'pytorch', with_cp: bool = False) -> nn.Module:
    """A stage of `blocks` blocks, the first with the stride."""
    outplanes = planes * block.expansion
    downsample = None
    if stride != 1 or inplanes != outplanes:
        downsample = nn.Sequential(nn.Conv2d(inplanes, outplanes, 1, stride=stride, bias=False),
                                   nn.BatchNorm2d(outplanes))
    return nn.Sequential(
        block(inplanes, planes, stride, dilation, downsample, style, with_cp),
        *(block(outplanes, planes, 1, dilation, style=style, with_cp=with_cp)
          for _ in range(1, blocks)))


class ResNet(nn.Module):
    """Residual network (arXiv:1512.03385) with 18, 34, 50, 101 or 152 layers.

    Stage i has the stride `strides[i]`, the dilation `dilations[i]` and 64 * 2**i planes; the
    stages in `out_indices` give the output maps. `style`: see Bottleneck. `frozen_stages`: the stem
    (0 or more) and this many stages are not trained. `bn_eval`: batch norms keep their running
    statistics in training; with `bn_frozen` their weights, too. `with_cp` computes each block again
    in backward, which trades time for memory.

    Raises ConfigKeyError for another depth, ConfigError for stages that it does not have.
    """

    arch_settings = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    runs_in_order = True

    def __init__(self, depth: int, num_stages: int = 4, strides: Sequence[int] = (1, 2, 2, 2),
                 dilations: Sequence[int] = (1, 1, 1, 1), out_indices: Sequence[int] = (0, 1, 2, 3),
                 style: str = 'pytorch', frozen_stages: int = -1, bn_eval: bool = True,
                 bn_frozen: bool = False, with_cp: bool = False) -> None:
        super().__init__()
        if depth not in self.arch_settings:
            raise ConfigKeyError(f'ResNet has no depth {depth!r}: use one of '
                                 f'{", ".join(map(str, self.arch_settings))}')
        if not 1 <= num_stages <= 4 or not len(strides) == len(dilations) == num_stages:
            raise ConfigError(f'ResNet: num_stages={num_stages} must be 1 to 4, and '
                              f'strides={strides} and dilations={dilations} one number a stage')
        if max(out_indices) >= num_stages:
            raise ConfigError(f'ResNet: out_indices={out_indices} must be numbers of stages, '
                              f'below num_stages={num_stages}')
        self.out_indices = out_indices
        self.style = style
        self.frozen_stages = frozen_stages
        self.bn_eval = bn_eval
        self.bn_frozen = bn_frozen
        self.with_cp = with_cp
        self.inplanes = 64
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.res_layers: list[str] = []
        block, stage_blocks = self.arch_settings[depth]
        for i, blocks in enumerate(stage_blocks[:num_stages]):
            planes = 64 * 2**i
            layer = make_res_layer(block, self.inplanes, planes, blocks, strides[i], dilations[i],
                                   style, with_cp)
            self.inplanes = planes * block.expansion
            self.res_layers.append(f'layer{i + 1}')
            self.add_module(self.res_layers[-1], layer)
        self.feat_dim = self.inplanes

    def init_weights(self, pretrained: str | None = None) -> None:
        """Load a checkpoint, or draw Kaiming convolutions and norms 1.

        Raises ArgumentError for anything but a path, a URL or None.
        """
        if not load_pretrained(self, pretrained):
            draw_weights(self)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Maps of images [N, 3, H, W], the first stage's a quarter as large; one is no tuple."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        outs = []
        for i, name in enumerate(self.res_layers):
            x = getattr(self, name)(x)
            if i in self.out_indices:
                outs.append(x)
        return outs[0] if len(outs) == 1 else tuple(outs)

    def train(self, mode: bool = True) -> 'ResNet':
        """Switch to training, but for what is frozen, or to evaluation."""
        super().train(mode)
        if self.bn_eval:
            hold_norms(self, self.bn_frozen)
        if mode and self.frozen_stages >= 0:
            self.conv1.requires_grad_(False)
            freeze(self.bn1)
            for name in self.res_layers[:self.frozen_stages]:
                freeze(getattr(self, name))
        return self
