"""The two residual blocks of ResNet (arXiv:1512.03385)."""
from collections.abc import Sequence

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmcv_replace.cnn import build_conv_layer, build_norm_layer, build_plugin_layer
from mmcv_replace.cnn.bricks.layer_cfg import BN
from mmcv_replace.cnn.utils.recompute import norm_relu_conv
from mmcv_replace.utils.errors import ConfigError


def add_conv(module: nn.Module, index: int, conv_cfg: dict | None, in_channels: int,
             out_channels: int, kernel_size: int, stride: int = 1, dilation: int = 1,
             groups: int = 1) -> None:
    """Give `module` the layers conv1, conv2, ... and the norm behind each, of its `norm_cfg`.

    The norm is named after its kind (bn1, gn1, ...); `named_norm` finds it.
    """
    module.add_module(f'conv{index}', build_conv_layer(
        conv_cfg, in_channels, out_channels, kernel_size, stride=stride,
        padding=kernel_size // 2 * dilation, dilation=dilation, groups=groups, bias=False))
    name, norm = build_norm_layer(module.norm_cfg, out_channels, postfix=index)
    setattr(module, f'norm{index}_name', name)
    module.add_module(name, norm)


def named_norm(index: int) -> property:
    """The property norm1, norm2, ... of a class: the layer that `add_conv` made."""
    return property(lambda module: getattr(module, getattr(module, f'norm{index}_name')),
                    doc=f'Norm layer {index}, whatever its kind.')


class ResidualBlock(nn.Module):
    """relu(branch(x) + shortcut(x)); a subclass makes the layers of the branch and runs them.

    `downsample` is the projection of the shortcut, None where the shapes agree. `with_cp` computes
    the sum again in backward instead of keeping what it needs; `recompute_norms` computes only
    norms and ReLUs again.
    """

    expansion: int  # output channels / planes
    recompute_norms = False
    norm1, norm2 = named_norm(1), named_norm(2)
    last_norm: property  # the norm that ends the branch

    def __init__(
        self, inplanes: int, planes: int, stride: int = 1, dilation: int = 1,
        downsample: nn.Module | None = None, style: str = 'pytorch', with_cp: bool = False,
        conv_cfg: dict | None = None, norm_cfg: dict = BN, dcn: dict | None = None,
        plugins: Sequence[dict] | None = None,
    ) -> None:
        super().__init__()
        self.inplanes = inplanes
        self.planes = planes
        self.stride = stride
        self.dilation = dilation
        self.style = style
        self.with_cp = with_cp
        self.conv_cfg = conv_cfg
        self.norm_cfg = norm_cfg
        self.dcn = dcn
        self.plugins = plugins
        self.with_dcn = dcn is not None
        self.with_plugins = plugins is not None
        self._make_branch()
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self._add_plugins(plugins or ())

    def _make_branch(self) -> None:
        raise NotImplementedError

    def _add_plugins(self, plugins: Sequence[dict]) -> None:
        raise NotImplementedError

    def branch(self, x: Tensor) -> Tensor:
        """What is added to the shortcut: [N, inplanes, H, W] -> [N, expansion * planes, H', W']."""
        raise NotImplementedError

    def _sum(self, x: Tensor) -> Tensor:
        out = self.branch(x)
        out += x if self.downsample is None else self.downsample(x)
        return out

    def forward(self, x: Tensor) -> Tensor:
        if self.with_cp and x.requires_grad:
            return self.relu(checkpoint(self._sum, x, use_reentrant=False))
        return self.relu(self._sum(x))


class BasicBlock(ResidualBlock):
    """Two 3 x 3 convolutions: [N, inplanes, H, W] -> [N, planes, H / stride, W / stride].

    `style` has no meaning here; deformable convolution and plugins are for Bottleneck alone.
    """

    expansion = 1
    runs_in_order = True
    last_norm = named_norm(2)

    def _make_branch(self) -> None:
        add_conv(self, 1, self.conv_cfg, self.inplanes, self.planes, 3, self.stride, self.dilation)
        add_conv(self, 2, self.conv_cfg, self.planes, self.planes, 3)

    def _add_plugins(self, plugins: Sequence[dict]) -> None:
        if self.dcn is not None or plugins:
            raise ConfigError('ResNet-18 and -34 (BasicBlock) take neither dcn nor plugins: use '
                              f'depth 50, 101 or 152, or leave out dcn={self.dcn}, '
                              f'plugins={plugins}')

    def branch(self, x: Tensor) -> Tensor:
        return self.norm2(norm_relu_conv(self.norm1, self.relu, self.conv2, self.conv1(x),
                                         self.recompute_norms))


class Bottleneck(ResidualBlock):
    """1 x 1, 3 x 3, 1 x 1 convolutions: [N, inplanes, H, W] -> [N, 4 * planes, H / s, W / s].

    `style`: 'pytorch' gives the stride to the 3 x 3 convolution, 'caffe' to the first 1 x 1. `dcn`
    replaces the 3 x 3 convolution by the one it names (with fallback_on_stride only where the
    stride is 1). `plugins`: dicts of cfg and position (after_conv1, after_conv2, after_conv3).
    """

    expansion = 4
    runs_in_order = True
    norm3 = last_norm = named_norm(3)

    @property
    def width(self) -> int:
        """Channels of the 3 x 3 convolution."""
        return self.planes

    def _make_branch(self) -> None:
        if self.style not in ('pytorch', 'caffe'):
            raise ConfigError(f"style={self.style!r} is not known: use 'pytorch' or 'caffe'")
        conv_cfg = self.conv_cfg
        self.conv1_stride, self.conv2_stride = (
            (1, self.stride) if self.style == 'pytorch' else (self.stride, 1))
        add_conv(self, 1, conv_cfg, self.inplanes, self.width, 1, self.conv1_stride)
        dcn = dict(self.dcn or {})
        falls_back = dcn.pop('fallback_on_stride', False) and self.conv2_stride > 1
        replaced = self.with_dcn and not falls_back
        if replaced and conv_cfg is not None:
            raise ConfigError(f'dcn={self.dcn} and conv_cfg={conv_cfg} both choose the 3 x 3 '
                              'convolution; keep one of them')
        self._add_conv2(dcn if replaced else conv_cfg)
        add_conv(self, 3, conv_cfg, self.width, self.planes * self.expansion, 1)

    def _add_conv2(self, conv_cfg: dict | None) -> None:
        add_conv(self, 2, conv_cfg, self.width, self.width, 3, self.conv2_stride, self.dilation)

    def _add_plugins(self, plugins: Sequence[dict]) -> None:
        channels = dict(after_conv1=self.width, after_conv2=self.width,
                        after_conv3=self.planes * self.expansion)
        for plugin in plugins:
            if plugin['position'] not in channels:
                raise ConfigError(f'plugin position {plugin["position"]!r} is not known: use one '
                                  f'of {", ".join(channels)}')
        for position, number in channels.items():
            names = self.make_block_plugins(number, [plugin['cfg'] for plugin in plugins
                                                     if plugin['position'] == position])
            setattr(self, f'{position}_plugin_names', names)

    # A subclass may override the two, and call them, as in mmsegmentation 0.x.
    def make_block_plugins(self, in_channels: int, plugins: Sequence[dict]) -> list[str]:
        """Add plugins for maps of `in_channels`, and return the names of their layers."""
        names = []
        for plugin in plugins:
            cfg = dict(plugin)
            name, layer = build_plugin_layer(cfg, cfg.pop('postfix', ''), in_channels=in_channels)
            if hasattr(self, name):
                raise ConfigError(f'two plugins of a block have the name {name!r}: tell them apart '
                                  'by a postfix in their cfg')
            self.add_module(name, layer)
            names.append(name)
        return names

    def forward_plugin(self, x: Tensor, plugin_names: Sequence[str]) -> Tensor:
        """Run layers that `make_block_plugins` has added, one after the other."""
        for name in plugin_names:
            x = getattr(self, name)(x)
        return x

    def branch(self, x: Tensor) -> Tensor:
        out = self._next(self.norm1, self.after_conv1_plugin_names, self.conv2, self.conv1(x))
        out = self._next(self.norm2, self.after_conv2_plugin_names, self.conv3, out)
        return self.forward_plugin(self.norm3(out), self.after_conv3_plugin_names)

    def _next(self, norm: nn.Module, plugin_names: Sequence[str], conv: nn.Module,
              x: Tensor) -> Tensor:
        """Norm, ReLU, plugins, and the convolution behind them."""
        if plugin_names:
            return conv(self.forward_plugin(self.relu(norm(x)), plugin_names))
        return norm_relu_conv(norm, self.relu, conv, x, self.recompute_norms)


def plugins_of_stage(plugins: Sequence[dict], stage: int) -> list[dict]:
    """The plugins of a stage: all without `stages`, and all that `stages` enables for it."""
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
