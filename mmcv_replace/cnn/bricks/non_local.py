"""Non-local blocks (arXiv:1711.07971)."""
from abc import ABCMeta

import torch
from torch import Tensor, nn

from mmcv_replace.utils.errors import ConfigError

from ..utils.layer_init import constant_init, normal_init
from .attend import softmax_attention
from .conv_module import ConvModule
from .registry import PLUGIN_LAYERS

_MODES = ('gaussian', 'embedded_gaussian', 'dot_product', 'concatenation')


class _NonLocalNd(nn.Module, metaclass=ABCMeta):
    """x + conv_out(weights @ g(x)), where the weights compare each position with all others.

    `mode` says how: by softmax(x x'), by softmax(theta(x) phi(x)'), divided by the root of the
    channels if `use_scale`, by theta(x) phi(x)' / positions, or by relu(w [theta(x), phi(x)]) /
    positions. `reduction`: channels of x to those inside; `norm_cfg`: the norm of `conv_out`.
    The method of the mode's name gives the matrix of the weights; `forward` calls it only for
    'concatenation', where a subclass overrides it, and with `fuse_attention=False`; else it needs
    no such matrix. `zeros_init` lets the block start as the identity. x: [N, in_channels, ...] ->
    the same shape. Raises ConfigError for an unknown mode and
    a `reduction` below 1.
    """

    def __init__(self, in_channels: int, reduction: int = 2, use_scale: bool = True,
                 conv_cfg: dict | None = None, norm_cfg: dict | None = None,
                 mode: str = 'embedded_gaussian', *, std: float = 0.01,
                 zeros_init: bool = True, fuse_attention: bool = True) -> None:
        super().__init__()
        if mode not in _MODES:
            raise ConfigError(f'{type(self).__name__}: mode={mode!r} is not one of '
                              f'{", ".join(_MODES)}')
        if reduction < 1:
            raise ConfigError(f'{type(self).__name__}: reduction={reduction} must be 1 or more: it '
                              'divides the number of channels')
        self.in_channels = in_channels
        self.reduction = reduction
        self.use_scale = use_scale
        self.inter_channels = max(in_channels // reduction, 1)
        self.mode = mode
        self.fuse_attention = fuse_attention

        def conv(inputs: int, outputs: int, norm_cfg: dict | None = None) -> ConvModule:
            return ConvModule(inputs, outputs, 1, conv_cfg=conv_cfg, norm_cfg=norm_cfg,
                              act_cfg=None)

        self.g = conv(in_channels, self.inter_channels)
        self.conv_out = conv(self.inter_channels, in_channels, norm_cfg)
        if mode != 'gaussian':
            self.theta = conv(in_channels, self.inter_channels)
            self.phi = conv(in_channels, self.inter_channels)
        if mode == 'concatenation':
            self.concat_project = ConvModule(2 * self.inter_channels, 1, 1, bias=False)
        self.init_weights(std, zeros_init)

    def init_weights(self, std: float = 0.01, zeros_init: bool = True) -> None:
        """Normal weights; those of the last layer are 0 where `zeros_init`."""
        for block in [self.g] if self.mode == 'gaussian' else [self.g, self.theta, self.phi]:
            normal_init(block.conv, std=std)
        last = self.conv_out.norm if self.conv_out.with_norm else self.conv_out.conv
        if zeros_init:
            constant_init(last, 0)
        else:
            normal_init(last, std=std)

    def gaussian(self, theta_x: Tensor, phi_x: Tensor) -> Tensor:
        """Weights [N, Q, K] of theta_x [N, Q, C] and phi_x [N, C, K]."""
        return (theta_x @ phi_x).softmax(-1)

    def embedded_gaussian(self, theta_x: Tensor, phi_x: Tensor) -> Tensor:
        """Weights [N, Q, K] of theta_x [N, Q, C] and phi_x [N, C, K]."""
        return (theta_x @ phi_x * self._scale(theta_x)).softmax(-1)

    def dot_product(self, theta_x: Tensor, phi_x: Tensor) -> Tensor:
        """Weights [N, Q, K] of theta_x [N, Q, C] and phi_x [N, C, K]."""
        return theta_x @ phi_x / phi_x.shape[-1]

    def concatenation(self, theta_x: Tensor, phi_x: Tensor) -> Tensor:
        """Weights [N, Q, K] of theta_x [N, C, Q, 1] and phi_x [N, C, 1, K]."""
        # w [t, p] = w_t t + w_p p, without a tensor of all pairs of positions and channels.
        of_theta, of_phi = self.concat_project.conv.weight.flatten().chunk(2)
        scores = (torch.einsum('c,ncqo->nqo', of_theta, theta_x)
                  + torch.einsum('c,ncok->nok', of_phi, phi_x))
        return self.concat_project.activate(scores) / scores.shape[-1]

    def _scale(self, theta_x: Tensor) -> float:
        scaled = self.use_scale and self.mode != 'gaussian'
        return theta_x.shape[-1]**-0.5 if scaled else 1.0

    def _is_overridden(self) -> bool:
        return getattr(type(self), self.mode) is not getattr(_NonLocalNd, self.mode)

    def _gather(self, theta_x: Tensor, phi_x: Tensor, g_x: Tensor) -> Tensor:
        """Weighted sums [N, Q, D] of theta_x [N, C, Q], phi_x [N, C, K] and g_x [N, D, K]."""
        query, value = theta_x.transpose(1, 2), g_x.transpose(1, 2)
        if self.mode == 'concatenation':
            return self.concatenation(theta_x.unsqueeze(3), phi_x.unsqueeze(2)) @ value
        if not self.fuse_attention or self._is_overridden():
            return getattr(self, self.mode)(query, phi_x) @ value
        if self.mode == 'dot_product':
            return query @ (phi_x @ (value / phi_x.shape[-1]))
        return softmax_attention(query, phi_x.transpose(1, 2), value, self._scale(query))

    def forward(self, x: Tensor) -> Tensor:
        return self._add(x, self._gather(*self._compared(x), self.g(x).flatten(2)))

    def _compared(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What is compared with what: [N, C, Q] and [N, C, K]."""
        theta_x = x if self.mode == 'gaussian' else self.theta(x)
        phi_x = self.phi(x) if hasattr(self, 'phi') else x
        return theta_x.flatten(2), phi_x.flatten(2)

    def _add(self, x: Tensor, sums: Tensor) -> Tensor:
        """Add the weighted sums [N, Q, D], projected."""
        maps = sums.transpose(1, 2).reshape(x.shape[0], self.inter_channels, *x.shape[2:])
        return x + self.conv_out(maps)

    def _sub_sample(self, pool: nn.Module) -> None:
        """Compare with the maxima of neighbourhoods only."""
        self.g = nn.Sequential(self.g, pool)
        self.phi = pool if self.mode == 'gaussian' else nn.Sequential(self.phi, pool)


class NonLocal1d(_NonLocalNd):
    """Non-local block for [N, C, L]; `sub_sample` pools the keys and values by 2."""

    def __init__(self, in_channels: int, sub_sample: bool = False,
                 conv_cfg: dict = {'type': 'Conv1d'},  # noqa: B006
                 **kwargs: object) -> None:
        super().__init__(in_channels, conv_cfg=conv_cfg, **kwargs)
        self.sub_sample = sub_sample
        if sub_sample:
            self._sub_sample(nn.MaxPool1d(kernel_size=2))


@PLUGIN_LAYERS.register_module()
class NonLocal2d(_NonLocalNd):
    """Non-local block for [N, C, H, W]; `sub_sample` pools the keys and values by 2 x 2."""

    _abbr_ = 'nonlocal_block'

    def __init__(self, in_channels: int, sub_sample: bool = False,
                 conv_cfg: dict = {'type': 'Conv2d'},  # noqa: B006
                 **kwargs: object) -> None:
        super().__init__(in_channels, conv_cfg=conv_cfg, **kwargs)
        self.sub_sample = sub_sample
        if sub_sample:
            self._sub_sample(nn.MaxPool2d(kernel_size=(2, 2)))


class NonLocal3d(_NonLocalNd):
    """Non-local block for [N, C, T, H, W]; `sub_sample` pools the keys and values by 1 x 2 x 2."""

    def __init__(self, in_channels: int, sub_sample: bool = False,
                 conv_cfg: dict = {'type': 'Conv3d'},  # noqa: B006
                 **kwargs: object) -> None:
        super().__init__(in_channels, conv_cfg=conv_cfg, **kwargs)
        self.sub_sample = sub_sample
        if sub_sample:
            self._sub_sample(nn.MaxPool3d(kernel_size=(1, 2, 2)))
