"""Grouped convolution whose splits are weighted by attention, as in ResNeSt."""
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.cnn import build_conv_layer, build_norm_layer
from mmcv_replace.cnn.bricks.layer_cfg import BN
from mmcv_replace.cnn.utils.host_norm import uses_host_norm
from mmcv_replace.cnn.utils.recompute import NormRelu, is_trained_norm_relu
from mmcv_replace.utils.errors import ConfigError

from .batch_statistics import check_statistics


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
        check_statistics(self.norm1, x.size(0), 1, type(self).__name__)
        if is_trained_norm_relu(self.norm0, self.relu) and (
                self.recompute_norms or uses_host_norm(self.norm0, x)):
            layers = (self.fc1, self.norm1, self.fc2)
            params = [param for layer in layers for param in layer.parameters()]
            return _NormReluAttend.apply(x, self.norm0.weight, self.norm0.bias, self, *params)
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
        total = total.addcmul(split, weight) if total.requires_grad else total.addcmul_(
            split, weight)
    return total


def _pooled(splits: Tensor) -> Tensor:
    """The mean over the pixels of the sum of splits: [N, R, C, H, W] -> [N, C, 1, 1]."""
    return splits.mean((3, 4), keepdim=True).sum(1)


class _NormReluAttend(Function):
    """Norm, ReLU and weighted sum of splits; keeps the input, and the maps unless they are made
    again."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, gamma: Tensor, beta: Tensor,
                layer: SplitAttentionConv2d, *params: Tensor) -> Tensor:
        inner = NormRelu(layer.norm0, layer.relu, x)
        splits = inner.result.unflatten(1, (layer.radix, -1))
        pooled = _pooled(splits).requires_grad_()
        with torch.enable_grad():  # its tensors are small: keep what their gradient needs
            # A view, since trackers of modules cannot follow leaves of an inner graph.
            weights = layer.attention(pooled.view_as(pooled))
        maps = () if layer.recompute_norms else (inner.result,)
        ctx.save_for_backward(*inner.keep, *maps)
        ctx.keeps_maps, ctx.eps, ctx.relu = bool(maps), layer.norm0.eps, layer.relu
        ctx.inner = pooled, weights, params
        return weighted_sum(splits, weights.detach())

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Any, ...]:
        pooled, weights, params = ctx.inner
        *saved, last = ctx.saved_tensors
        y, gradients = (NormRelu.again(saved, ctx.eps, ctx.relu, last) if ctx.keeps_maps
                        else NormRelu.again([*saved, last], ctx.eps, ctx.relu))
        splits = y.unflatten(1, (weights.size(1), -1))
        grad_weights = torch.stack([(grad * split).sum((2, 3), keepdim=True)
                                    for split in splits.unbind(1)], 1)
        wanted = ctx.needs_input_grad
        trained = [param for param, needed in zip(params, wanted[4:], strict=True) if needed]
        grad_pooled, *inner = torch.autograd.grad(weights, (pooled, *trained), grad_weights,
                                                  retain_graph=True)
        grad_splits = _grad_of_splits(grad, weights.detach(), grad_pooled)
        found = iter(inner)
        return (*gradients(grad_splits.flatten(1, 2), wanted[:3]), None,
                *(next(found) if needed else None for needed in wanted[4:]))


def _grad_of_splits(grad: Tensor, weights: Tensor, grad_pooled: Tensor) -> Tensor:
    """Gradient [N, R, C, H, W] of the splits, by their weighted sum and by their pooling."""
    result = grad.new_empty(*weights.shape[:3], *grad.shape[2:])
    for i, weight in enumerate(weights.unbind(1)):
        torch.mul(grad, weight, out=result[:, i])
    result += grad_pooled.unsqueeze(1) / (grad.size(2) * grad.size(3))
    return result
