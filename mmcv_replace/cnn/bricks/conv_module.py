"""Convolution, normalisation and activation as one block."""
import inspect
import logging

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from mmcv_replace.utils import warn_once
from mmcv_replace.utils.errors import ConfigTypeError

from ..utils.layer_init import constant_init, kaiming_init
from ..utils.winograd_conv import is_plain_conv
from .activation import build_activation_layer
from .conv import build_conv_layer
from .layer_cfg import RELU, layer_class
from .norm import build_norm_layer
from .padding import build_padding_layer
from .registry import ACTIVATION_LAYERS, PLUGIN_LAYERS

_STEPS = ('conv', 'norm', 'act')
# The convolution itself pads in these modes; the others need a layer before it.
_CONV_PADDING_MODES = ('zeros', 'circular')


@PLUGIN_LAYERS.register_module()
class ConvModule(nn.Module):
    """Convolution with its norm and activation layers, in a chosen order.

    bias='auto' gives the convolution a bias if there is no norm. The layers are named `conv`,
    `activate`, and the norm after its kind (`bn`, `gn`, `in`, `ln`).
    x: [N, in_channels, H, W] -> [N, out_channels, H', W']. Raises
    ConfigTypeError for a wrong `order`.
    """

    _abbr_ = 'conv_block'
    runs_in_order = True  # unless `order` says otherwise

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int],
                 stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0,
                 dilation: int | tuple[int, int] = 1, groups: int = 1, bias: bool | str = 'auto',
                 conv_cfg: dict | None = None, norm_cfg: dict | None = None,
                 act_cfg: dict | None = RELU, inplace: bool = True,
                 with_spectral_norm: bool = False, padding_mode: str = 'zeros',
                 order: tuple[str, str, str] = ('conv', 'norm', 'act')) -> None:
        super().__init__()
        if not isinstance(order, tuple) or sorted(order) != sorted(_STEPS):
            raise ConfigTypeError(f"ConvModule: order={order!r} must be a tuple of 'conv', 'norm' "
                                  "and 'act', each once")
        self.conv_cfg = conv_cfg
        self.norm_cfg = norm_cfg
        self.act_cfg = act_cfg
        self.inplace = inplace
        self.with_spectral_norm = with_spectral_norm
        self.with_explicit_padding = padding_mode not in _CONV_PADDING_MODES
        self.order = order
        if self.order.index('norm') != self.order.index('conv') + 1:
            self.runs_in_order = False
        self.with_norm = norm_cfg is not None
        self.with_activation = act_cfg is not None
        self.with_bias = not self.with_norm if bias == 'auto' else bool(bias)
        self.padding = padding

        if self.with_explicit_padding:
            self.padding_layer = build_padding_layer(dict(type=padding_mode), padding)
        self._add_conv(
            in_channels, out_channels, kernel_size, stride=stride,
            padding=0 if self.with_explicit_padding else padding, dilation=dilation,
            groups=groups, bias=self.with_bias,
            **(dict(padding_mode=padding_mode) if padding_mode == 'circular' else {}))
        self.norm_name = None
        if self.with_norm:
            self._add_norm()
        if self.with_activation:
            self._add_activation()
        self.init_weights()

    def _add_conv(self, *args: object, **kwargs: object) -> None:
        conv = build_conv_layer(self.conv_cfg, *args, **kwargs)
        for name in ('in_channels', 'out_channels', 'kernel_size', 'stride', 'dilation',
                     'transposed', 'output_padding', 'groups'):
            setattr(self, name, getattr(conv, name))
        self.conv = nn.utils.spectral_norm(conv) if self.with_spectral_norm else conv

    def _add_norm(self) -> None:
        after_conv = self.order.index('norm') > self.order.index('conv')
        self.norm_name, norm = build_norm_layer(
            self.norm_cfg, self.out_channels if after_conv else self.in_channels)
        self.add_module(self.norm_name, norm)
        if self.with_bias and isinstance(norm, _BatchNorm | _InstanceNorm):
            warn_once('ConvModule: a convolution with bias before a batch or instance norm; '
                      'the norm takes the bias away again', logging.getLogger('mmseg.cnn'))

    def _add_activation(self) -> None:
        cls, _ = layer_class(ACTIVATION_LAYERS, self.act_cfg)
        cfg = self.act_cfg.copy()
        if 'inplace' in inspect.signature(cls).parameters:
            cfg.setdefault('inplace', self.inplace)
        self.activate = build_activation_layer(cfg)

    @property
    def norm(self) -> nn.Module | None:
        """The norm layer, whatever its name."""
        return getattr(self, self.norm_name) if self.norm_name else None

    def init_weights(self) -> None:
        """Kaiming weights (fan out, for the activation), norm weight 1; biases 0.

        A convolution with an `init_weights` of its own is left as it is.
        """
        if not hasattr(self.conv, 'init_weights'):
            leaky = self.with_activation and self.act_cfg['type'] == 'LeakyReLU'
            kaiming_init(self.conv, a=self.act_cfg.get('negative_slope', 0.01) if leaky else 0,
                         nonlinearity='leaky_relu' if leaky else 'relu')
        if self.with_norm:
            constant_init(self.norm, 1)

    @property
    def is_plain(self) -> bool:
        """Whether torch's own convolution comes first, with zero padding and without hooks."""
        return (self.order[0] == 'conv' and not self.with_explicit_padding
                and is_plain_conv(self.conv))

    def after_conv(self, x: Tensor) -> Tensor:
        """Apply what follows a plain convolution whose result x was computed elsewhere."""
        assert self.is_plain
        return self._run(x, self.order[1:])

    def forward(self, x: Tensor, activate: bool = True, norm: bool = True) -> Tensor:
        return self._run(x, self.order, activate, norm)

    def _run(self, x: Tensor, steps: tuple[str, ...], activate: bool = True,
             norm: bool = True) -> Tensor:
        for step in steps:
            if step == 'conv':
                if self.with_explicit_padding:
                    x = self.padding_layer(x)
                x = self.conv(x)
            elif step == 'norm' and norm and self.with_norm:
                x = self.norm(x)
            elif step == 'act' and activate and self.with_activation:
                x = self.activate(x)
        return x
