"""The two residual blocks of ResNet (arXiv:1512.03385)."""
from collections.abc import Sequence

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmcv_replace.cnn import build_conv_layer, build_norm_layer, build_plugin_layer
from mmcv_replace.cnn.bricks.layer_cfg import BN
from mmcv_replace.cnn.utils.recompute import norm_relu_conv
from mmcv_replace.utils.errors import ConfigError


class _ResidualBlock(nn.Module):
    """relu(branch(x) + shortcut(x)); a subclass makes the layers and defines `branch`.

    Norm layers are named after their kind (bn1, gn1, ...) and reached as norm1, norm2, ...
    `with_cp` computes the sum again in backward instead of keeping what lies before it;
    `recompute_norms` computes norms and ReLUs alone again.
    """

    expansion: int
    recompute_norms = False
    relu: nn.Module
    downsample: nn.Module | None
    with_cp: bool

    def _add_norm(self, index: int, norm_cfg: dict, channels: int) -> None:
        name, layer = build_norm_layer(norm_cfg, channels, postfix=index)
        setattr(self, f'norm{index}_name', name)
        self.add_module(name, layer)

    @property
    def norm1(self) -> nn.Module:
        """Norm after the first convolution."""
        return getattr(self, self.norm1_name)

    @property
    def norm2(self) -> nn.Module:
        """Norm after the second convolution."""
        return getattr(self, self.norm2_name)

    @property
    def last_norm(self) -> nn.Module:
        """Norm that ends the branch."""
        raise NotImplementedError

    def branch(self, x: Tensor) -> Tensor:
        """What is added to the shortcut."""
        raise NotImplementedError

    def _sum(self, x: Tensor) -> Tensor:
        out = self.branch(x)
        out += x if self.downsample is None else self.downsample(x)
        return out

    def forward(self, x: Tensor) -> Tensor:
        if self.with_cp and x.requires_grad:
            return self.relu(checkpoint(self._sum, x, use_reentrant=False))
        return self.relu(self._sum(x))


class BasicBlock(_ResidualBlock):
    """Two 3 x 3 convolutions: [N, inplanes, H, W] -> [N, planes, H / stride, W / stride].

    `style` has no meaning for it; deformable convolution and plugins are for Bottleneck alone.
    """

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        dilation: int = 1,
        downsample: nn.Module | None = None,
        style: str = 'pytorch',
        with_cp: bool = False,
        conv_cfg: dict | None = None,
        norm_cfg: dict = BN,
        dcn: dict | None = None,
        plugins: Sequence[dict] | None = None,
    ) -> None:
        super().__init__()
        if dcn is not None or plugins:
            raise ConfigError('ResNet-18 and -34 (BasicBlock) take neither dcn nor plugins: use '
                              f'depth 50, 101 or 152, or leave out dcn={dcn}, plugins={plugins}')
        self.conv1 = build_conv_layer(conv_cfg, inplanes, planes, 3, stride=stride,
                                      padding=dilation, dilation=dilation, bias=False)
        self._add_norm(1, norm_cfg, planes)
        self.conv2 = build_conv_layer(conv_cfg, planes, planes, 3, padding=1, bias=False)
        self._add_norm(2, norm_cfg, planes)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride
        self.dilation = dilation
        self.with_cp = with_cp

    @property
    def last_norm(self) -> nn.Module:
        """Norm that ends the branch."""
        return self.norm2

    def branch(self, x: Tensor) -> Tensor:
        """What is added to the shortcut."""
        return self.norm2(norm_relu_conv(self.norm1, self.relu, self.conv2, self.conv1(x),
                                         self.recompute_norms))


class Bottleneck(_ResidualBlock):
    """1 x 1, 3 x 3, 1 x 1 convolutions: [N, inplanes, H, W] -> [N, 4 * planes, H / s, W / s].

    style 'pytorch' gives the stride to the 3 x 3 convolution, 'caffe' to the first 1 x 1. `dcn`
    replaces the 3 x 3 convolution by the one it names (with fallback_on_stride only where the
    stride is 1). `plugins`: dicts of cfg and position (after_conv1, after_conv2, after_conv3).
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        dilation: int = 1,
        downsample: nn.Module | None = None,
        style: str = 'pytorch',
        with_cp: bool = False,
        conv_cfg: dict | None = None,
        norm_cfg: dict = BN,
        dcn: dict | None = None,
        plugins: Sequence[dict] | None = None,
    ) -> None:
        super().__init__()
        if style not in ('pytorch', 'caffe'):
            raise ConfigError(f"style={style!r} is not known: use 'pytorch' or 'caffe'")
        strides = (1, stride) if style == 'pytorch' else (stride, 1)
        self.conv1 = build_conv_layer(conv_cfg, inplanes, planes, 1, stride=strides[0], bias=False)
        self._add_norm(1, norm_cfg, planes)
        self.conv2 = build_conv_layer(_conv2_cfg(conv_cfg, dcn, strides[1]), planes, planes, 3,
                                      stride=strides[1], padding=dilation, dilation=dilation,
                                      bias=False)
        self._add_norm(2, norm_cfg, planes)
        self.conv3 = build_conv_layer(conv_cfg, planes, planes * self.expansion, 1, bias=False)
        self._add_norm(3, norm_cfg, planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride
        self.dilation = dilation
        self.with_cp = with_cp
        self._add_plugins(plugins or (), planes)

    @property
    def norm3(self) -> nn.Module:
        """Norm after the third convolution."""
        return getattr(self, self.norm3_name)

    @property
    def last_norm(self) -> nn.Module:
        """Norm that ends the branch."""
        return self.norm3

    def _add_plugins(self, plugins: Sequence[dict], planes: int) -> None:
        channels = dict(after_conv1=planes, after_conv2=planes,
                        after_conv3=planes * self.expansion)
        self.plugin_names: dict[str, list[str]] = {position: [] for position in channels}
        for plugin in plugins:
            position = plugin['position']
            if position not in channels:
                raise ConfigError(f'plugin position {position!r} is not known: use one of '
                                  f'{", ".join(channels)}')
            cfg = dict(plugin['cfg'])
            name, layer = build_plugin_layer(cfg, cfg.pop('postfix', ''),
                                             in_channels=channels[position])
            if hasattr(self, name):
                raise ConfigError(f'two plugins of a block have the name {name!r}: tell them apart '
                                  'by a postfix in their cfg')
            self.add_module(name, layer)
            self.plugin_names[position].append(name)

    def _plug(self, x: Tensor, position: str) -> Tensor:
        for name in self.plugin_names[position]:
            x = getattr(self, name)(x)
        return x

    def branch(self, x: Tensor) -> Tensor:
        """What is added to the shortcut."""
        out = self._next(self.norm1, 'after_conv1', self.conv2, self.conv1(x))
        out = self._next(self.norm2, 'after_conv2', self.conv3, out)
        return self._plug(self.norm3(out), 'after_conv3')

    def _next(self, norm: nn.Module, position: str, conv: nn.Module, x: Tensor) -> Tensor:
        """Norm, ReLU, plugins and the convolution behind them."""
        if self.plugin_names[position]:
            return conv(self._plug(self.relu(norm(x)), position))
        return norm_relu_conv(norm, self.relu, conv, x, self.recompute_norms)


def _conv2_cfg(conv_cfg: dict | None, dcn: dict | None, stride: int) -> dict | None:
    if dcn is None:
        return conv_cfg
    options = dict(dcn)
    if options.pop('fallback_on_stride', False) and stride > 1:
        return conv_cfg
    return options


def plugins_of_stage(plugins: Sequence[dict], stage: int) -> list[dict]:
    """The plugins that a stage gets: those without `stages`, and those whose `stages` says so."""
    chosen = []
    for plugin in plugins:
        if 'cfg' not in plugin or 'position' not in plugin:
            raise ConfigError(f'plugin {dict(plugin)} needs cfg and position')
        stages = plugin.get('stages')
        if stages is not None and len(stages) <= stage:
            raise ConfigError(f'plugin stages={stages} must say yes or no for each stage')
        if stages is None or stages[stage]:
            chosen.append(dict(cfg=plugin['cfg'], position=plugin['position']))
    return chosen
