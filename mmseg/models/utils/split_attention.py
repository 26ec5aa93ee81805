"""Grouped convolution whose splits are weighted by attention, as in ResNeSt."""
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.cnn import build_conv_layer, build_norm_layer
from mmcv_replace.cnn.bricks.layer_cfg import BN
from mmcv_replace.cnn.utils.recompute import is_trained_norm_relu
from mmcv_replace.utils.errors import ConfigError

from .batch_statistics import check_batch_statistics


class SplitAttentionConv2d(nn.Module):
    """Convolution in `radix` splits and their sum, weighted by attention (arXiv:2004.08955).

    x: [N, in_channels, H, W] -> [N, channels, H', W']. The convolution has radix * channels
    outputs in radix * groups groups. The weights of each channel, a softmax over the splits (a
    sigmoid if there is one), are made of the means over all pixels, by two 1 x 1 convolutions with
    in_channels * radix / reduction_factor channels, 32 at least, between them. `dcn` replaces
    the convolution. `recompute_norms` saves memory as in ResNet: backward computes norm and ReLU
    again.
    """

    runs_in_order = True
    recompute_norms = False

    def __init__(
        self, in_channels: int, channels: int, kernel_size: int, stride: int = 1,
        padding: int = 0, dilation: int = 1, groups: int = 1, radix: int = 2,
        reduction_factor: int = 4, conv_cfg: dict | None = None, norm_cfg: dict = BN,
        dcn: dict | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if dcn is not None and conv_cfg is not None:
            raise ConfigError(f'{name}: dcn={dcn} and conv_cfg={conv_cfg} both choose the '
                              'convolution; keep one of them')
        _check_groups(name, groups, radix, in_channels, channels, reduction_factor)
        self.radix = radix
        self.groups = groups
        self.channels = channels
        self.conv = build_conv_layer(
            dcn or conv_cfg, in_channels, channels * radix, kernel_size, stride=stride,
            padding=padding, dilation=dilation, groups=groups * radix, bias=False)
        self.norm0_name, norm0 = build_norm_layer(norm_cfg, channels * radix, postfix=0)
        self.add_module(self.norm0_name, norm0)
        self.relu = nn.ReLU(inplace=True)
        inner = _hidden_channels(in_channels, radix, reduction_factor)
        self.fc1 = build_conv_layer(None, channels, inner, 1, groups=groups)
        self.norm1_name, norm1 = build_norm_layer(norm_cfg, inner, postfix=1)
        self.add_module(self.norm1_name, norm1)
        self.fc2 = build_conv_layer(None, inner, channels * radix, 1, groups=groups)

    @property
    def norm0(self) -> nn.Module:
        """Norm layer behind the convolution."""
        return getattr(self, self.norm0_name)

    @property
    def norm1(self) -> nn.Module:
        """Norm layer between the layers of the attention."""
        return getattr(self, self.norm1_name)

    def forward(self, x: Tensor) -> Tensor:
        return self.after_conv(self.conv(x))

    def after_conv(self, x: Tensor) -> Tensor:
        """What follows the convolution: [N, radix * channels, H, W] -> [N, channels, H, W]."""
        check_batch_statistics(self.norm1, x.size(0), type(self).__name__)
        if self.recompute_norms and is_trained_norm_relu(self.norm0, self.relu):
            layers = (self.fc1, self.norm1, self.fc2)
            params = [param for layer in layers for param in layer.parameters()]
            return _NormReluAttend.apply(x, self.norm0.weight, self.norm0.bias, self.norm0,
                                         self.radix, self.attention, *params)
        splits = self.relu(self.norm0(x)).unflatten(1, (self.radix, -1))
        return weighted_sum(splits, self.attention(_pooled(splits)))

    def attention(self, pooled: Tensor) -> Tensor:
        """Weights of the splits: [N, channels, 1, 1] -> [N, radix, channels, 1, 1]."""
        x = self.fc2(self.relu(self.norm1(self.fc1(pooled))))
        # Channels come by group, then by split; the splits of the maps come first.
        x = x.unflatten(1, (self.groups, self.radix, -1)).transpose(1, 2)
        x = x.softmax(1) if self.radix > 1 else x.sigmoid()
        return x.flatten(2, 3)


def _hidden_channels(in_channels: int, radix: int, reduction_factor: int) -> int:
    return max(in_channels * radix // reduction_factor, 32)


def _check_groups(name: str, groups: int, radix: int, in_channels: int, channels: int,
                  reduction_factor: int) -> None:
    if in_channels % (groups * radix) or channels % groups:
        raise ConfigError(f'{name}: groups={groups} * radix={radix} must divide the '
                          f'in_channels={in_channels}, and groups={groups} the '
                          f'channels={channels}')
    inner = _hidden_channels(in_channels, radix, reduction_factor)
    if inner % groups:
        raise ConfigError(f'{name}: groups={groups} must divide the {inner} channels of the '
                          f'attention (in_channels={in_channels} * radix={radix} / '
                          f'reduction_factor={reduction_factor}, at least 32)')


def weighted_sum(splits: Tensor, weights: Tensor) -> Tensor:
    """Sum over r of splits[:, r] * weights[:, r], without a map of all the products.

    splits: [N, R, C, H, W], weights: [N, R, C, 1, 1] -> [N, C, H, W].
    """
    first, *others = zip(splits.unbind(1), weights.unbind(1), strict=True)
    total = first[0] * first[1]
    for split, weight in others:
        total = total.addcmul(split, weight)
    return total


def _pooled(splits: Tensor) -> Tensor:
    """The mean over the pixels of the sum of splits: [N, R, C, H, W] -> [N, C, 1, 1]."""
    return splits.mean((3, 4), keepdim=True).sum(1)


class _NormReluAttend(Function):
    """Norm, ReLU and weighted sum of splits; keeps the input, of which backward makes the rest."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, gamma: Tensor, beta: Tensor, norm: nn.Module,
                radix: int, attention: Callable[[Tensor], Tensor], *params: Tensor) -> Tensor:
        splits = F.relu_(norm(x)).unflatten(1, (radix, -1))
        pooled = _pooled(splits).requires_grad_()
        with torch.enable_grad():  # its tensors are small: keep what their gradient needs
            weights = attention(pooled)
        ctx.save_for_backward(x, gamma, beta)
        ctx.eps, ctx.inner = norm.eps, (pooled, weights, params)
        return weighted_sum(splits, weights.detach())

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Any, ...]:
        leaves = [leaf.detach().requires_grad_() for leaf in ctx.saved_tensors]
        pooled, weights, params = ctx.inner
        with torch.enable_grad():
            # The same values give the same statistics, so this equals the forward pass exactly.
            y = F.relu_(F.batch_norm(leaves[0], None, None, *leaves[1:], True, 0.0, ctx.eps))
        splits = y.detach().unflatten(1, weights.shape[1:2] + (-1,))
        grad_splits, grad_weights = _weighted_sum_gradients(grad, splits, weights.detach())
        trained = [param for param, wanted in zip(params, ctx.needs_input_grad[6:], strict=True)
                   if wanted]
        grad_pooled, *inner = torch.autograd.grad(weights, (pooled, *trained), grad_weights,
                                                  retain_graph=True)
        grad_splits += grad_pooled.unsqueeze(1) / (splits.size(3) * splits.size(4))
        outer = torch.autograd.grad(y, leaves, grad_splits.flatten(1, 2))
        found = iter(inner)
        return (*outer, None, None, None,
                *(next(found) if wanted else None for wanted in ctx.needs_input_grad[6:]))


def _weighted_sum_gradients(grad: Tensor, splits: Tensor, weights: Tensor
                            ) -> tuple[Tensor, Tensor]:
    """Gradients of splits and weights for `grad` [N, C, H, W] of their `weighted_sum`."""
    grad_splits = torch.empty_like(splits)
    grad_weights = []
    for i, (split, weight) in enumerate(zip(splits.unbind(1), weights.unbind(1), strict=True)):
        torch.mul(grad, weight, out=grad_splits[:, i])
        grad_weights.append((grad * split).sum((2, 3), keepdim=True))
    return grad_splits, torch.stack(grad_weights, 1)
