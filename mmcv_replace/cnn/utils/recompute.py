"""A convolution after batch norm and activation that stores less for its backward pass."""
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from .prelu import HostPReLU, quick_prelu
from .sync_bn import BatchNormXd
from .winograd_conv import CONV2D_TYPES, convolution_gradients

# How a layer activates -> the same for a map that nobody else needs. The methods tell subclasses
# that only have another name from those that compute something else.
_ACTIVATIONS: dict[Callable, Callable[[nn.Module, Tensor], Tensor]] = {
    nn.ReLU.forward: lambda layer, x: F.relu_(x),
    nn.Hardtanh.forward: lambda layer, x: F.hardtanh_(x, layer.min_val, layer.max_val),
    nn.Hardswish.forward: lambda layer, x: F.hardswish(x),
}


def norm_relu_conv(norm: nn.Module, relu: nn.Module, conv: nn.Module, x: Tensor,
                   recompute: bool) -> Tensor:
    """conv(relu(norm(x))); with `recompute`, backward computes the convolution's input again.

    The input is then not stored, which saves about a sixth of the activations of a residual network
    for a norm and a ReLU that are cheap compared with the convolution. Results and gradients are
    the same. `relu` may also be a ReLU6 or a hard swish. Layers for which this is not known (other
    types, hooks, norms in eval mode) are called in the plain way.
    """
    if recompute and is_trained_norm_relu(norm, relu) and _is_plain_conv(conv):
        return _NormReluConv.apply(x, norm.weight, norm.bias, conv.weight, conv.bias, norm, relu,
                                   conv)
    return conv(relu(norm(x)))


def norm_prelu(norm: nn.Module, prelu: nn.Module, x: Tensor, recompute: bool) -> Tensor:
    """prelu(norm(x)); with `recompute`, only x is stored, and backward computes the norm again.

    Other activations and layers than `norm_relu_conv` knows are called in the plain way.
    """
    if recompute and type(prelu) in (nn.PReLU, HostPReLU) and _is_trained(norm, prelu):
        return _NormPReLU.apply(x, norm.weight, norm.bias, prelu.weight, norm, prelu)
    return prelu(norm(x))


def is_trained_norm_relu(norm: nn.Module, relu: nn.Module) -> bool:
    """Whether a gradient is wanted, and the layers are torch's batch norm in training and ReLU.

    Or another activation that `norm_relu_conv` knows. They have no hooks, and nothing traces them.
    """
    return type(relu).forward in _ACTIVATIONS and _is_trained(norm, relu)


def has_hooks(layer: nn.Module) -> bool:
    """Whether someone wants to be called when the layer is, or its gradient."""
    return bool(layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks
                or layer._backward_pre_hooks)


def _is_trained(norm: nn.Module, activation: nn.Module) -> bool:
    return (torch.is_grad_enabled() and type(norm) in (nn.BatchNorm2d, BatchNormXd)
            and norm.training and norm.affine and not has_hooks(norm)
            and not has_hooks(activation) and not torch.compiler.is_compiling())


def _is_plain_conv(conv: nn.Module) -> bool:
    return (type(conv) in CONV2D_TYPES and conv.padding_mode == 'zeros'
            and not isinstance(conv.padding, str) and not has_hooks(conv))


def _activate(layer: nn.Module, x: Tensor) -> Tensor:
    return _ACTIVATIONS[type(layer).forward](layer, x)


class _NormReluConv(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, gamma: Tensor, beta: Tensor, weight: Tensor,
                bias: Tensor | None, norm: nn.Module, relu: nn.Module, conv: nn.Conv2d) -> Tensor:
        ctx.save_for_backward(x, gamma, beta, weight)
        ctx.eps, ctx.relu, ctx.conv = norm.eps, relu, conv
        return conv(_activate(relu, norm(x)))

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Any, ...]:
        x, gamma, beta, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        leaves = [leaf.detach().requires_grad_() for leaf in (x, gamma, beta)]
        with torch.enable_grad():
            # The same values give the same statistics, so this equals the forward pass exactly.
            y = _activate(ctx.relu, F.batch_norm(leaves[0], None, None, *leaves[1:], True, 0.0,
                                                 ctx.eps))
        grad_y, grad_weight, grad_bias = convolution_gradients(
            ctx.conv, grad, y.detach().to(grad.dtype), weight.to(grad.dtype),
            (any(wanted[:3]), wanted[3], wanted[4]))
        outer = (None if value is None else value.to(weight.dtype)
                 for value in (grad_weight, grad_bias))
        inner = (torch.autograd.grad(y, leaves, grad_y.to(y.dtype)) if any(wanted[:3])
                 else (None, None, None))
        return (*inner, *outer, None, None, None)


class _NormPReLU(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, gamma: Tensor, beta: Tensor, slope: Tensor,
                norm: nn.Module, prelu: nn.Module) -> Tensor:
        ctx.save_for_backward(x, gamma, beta, slope)
        ctx.eps = norm.eps
        ctx.activate = quick_prelu if isinstance(prelu, HostPReLU) else F.prelu
        return F.prelu(norm(x), slope.to(x.dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Any, ...]:
        x, gamma, beta, slope = leaves = [leaf.detach().requires_grad_()
                                          for leaf in ctx.saved_tensors]
        with torch.enable_grad():
            y = F.batch_norm(x, None, None, gamma, beta, True, 0.0, ctx.eps)
            y = ctx.activate(y, slope.to(y.dtype))
        return (*torch.autograd.grad(y, leaves, grad), None, None)
