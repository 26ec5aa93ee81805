"""A convolution after batch norm and activation that stores less for its backward pass."""
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from .host_norm import BATCH_NORM_TYPES, norm_again, norm_and_statistics, norm_gradients
from .prelu import HostPReLU, quick_prelu
from .winograd_conv import CONV2D_TYPES, convolution_gradients

_aten = torch.ops.aten


class _Known(NamedTuple):
    """An activation: (layer, x) -> y for a map that nobody else needs, and its gradient.

    That takes the layer, the gradient of y, x and y; where y replaces x in memory, both are y.
    """

    activate: Callable[[nn.Module, Tensor], Tensor]
    gradient: Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]


# The methods tell subclasses that only have another name from those that compute something else.
_ACTIVATIONS: dict[Callable, _Known] = {
    nn.ReLU.forward: _Known(
        lambda layer, x: F.relu_(x),
        lambda layer, grad, x, y: _aten.threshold_backward(grad, y, 0)),
    nn.Hardtanh.forward: _Known(
        lambda layer, x: F.hardtanh_(x, layer.min_val, layer.max_val),
        lambda layer, grad, x, y: _aten.hardtanh_backward(grad, y, layer.min_val, layer.max_val)),
    nn.Hardswish.forward: _Known(
        lambda layer, x: F.hardswish(x),
        lambda layer, grad, x, y: _aten.hardswish_backward(grad, x)),
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
    return (torch.is_grad_enabled() and type(norm) in BATCH_NORM_TYPES
            and norm.training and norm.affine and not has_hooks(norm)
            and not has_hooks(activation) and not torch.compiler.is_compiling())


def _is_plain_conv(conv: nn.Module) -> bool:
    return (type(conv) in CONV2D_TYPES and conv.padding_mode == 'zeros'
            and not isinstance(conv.padding, str) and not has_hooks(conv))


class NormRelu:
    """relu(norm(x)) in a forward pass without gradients, and again in backward, with them.

    `keep` is what a Function saves for it: x, gamma, beta and, where they are known, the statistics
    of the batch; without them they are found again, by the same operations.
    """

    def __init__(self, norm: nn.Module, relu: nn.Module, x: Tensor) -> None:
        y, statistics = norm_and_statistics(norm, x)
        self.result = _ACTIVATIONS[type(relu).forward].activate(relu, y)
        self.keep = (x, norm.weight, norm.bias, *(statistics or ()))

    @staticmethod
    def again(saved: Sequence[Tensor], eps: float, relu: nn.Module, result: Tensor | None = None
              ) -> tuple[Tensor, Callable[..., tuple]]:
        """The result once more, from what was kept, and the function of its gradient.

        That takes the gradient of the result and which of those of x, gamma and beta are wanted.
        `result`: that of a ReLU, where it was kept.
        """
        known = _ACTIVATIONS[type(relu).forward]
        x, gamma, beta, *statistics = saved
        if statistics:
            z = norm_again(x, gamma, beta, tuple(statistics)) if result is None else result
            y = known.activate(relu, z) if result is None else result
            return y, lambda grad, wanted: norm_gradients(
                known.gradient(relu, grad, z, y), x, gamma, tuple(statistics), eps, wanted)
        leaves = [leaf.detach().requires_grad_() for leaf in (x, gamma, beta)]
        with torch.enable_grad():
            # The same values give the same statistics, so this equals the forward pass exactly.
            y = known.activate(relu, F.batch_norm(leaves[0], None, None, *leaves[1:], True, 0.0,
                                                  eps))
        return y.detach(), lambda grad, wanted: torch.autograd.grad(y, leaves, grad)


class _NormReluConv(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, gamma: Tensor, beta: Tensor, weight: Tensor,
                bias: Tensor | None, norm: nn.Module, relu: nn.Module, conv: nn.Conv2d) -> Tensor:
        inner = NormRelu(norm, relu, x)
        ctx.save_for_backward(weight, *inner.keep)
        ctx.eps, ctx.relu, ctx.conv = norm.eps, relu, conv
        return conv(inner.result)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Any, ...]:
        weight, *saved = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        y, gradients = NormRelu.again(saved, ctx.eps, ctx.relu)
        grad_y, grad_weight, grad_bias = convolution_gradients(
            ctx.conv, grad, y.to(grad.dtype), weight.to(grad.dtype),
            (any(wanted[:3]), wanted[3], wanted[4]))
        outer = (None if value is None else value.to(weight.dtype)
                 for value in (grad_weight, grad_bias))
        inner = gradients(grad_y.to(y.dtype), wanted[:3]) if any(wanted[:3]) else (None,) * 3
        return (*inner, *outer, None, None, None)


class _NormPReLU(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, gamma: Tensor, beta: Tensor, slope: Tensor,
                norm: nn.Module, prelu: nn.Module) -> Tensor:
        y, statistics = norm_and_statistics(norm, x)
        ctx.save_for_backward(x, gamma, beta, slope, *(statistics or ()))
        ctx.eps = norm.eps
        ctx.activate = quick_prelu if isinstance(prelu, HostPReLU) else F.prelu
        return F.prelu(y, slope.to(x.dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Any, ...]:
        *tensors, slope = (leaf.detach().requires_grad_() for leaf in ctx.saved_tensors[:4])
        x, gamma, beta = tensors
        statistics = tuple(ctx.saved_tensors[4:])
        with torch.enable_grad():
            inner = (norm_again(x.detach(), gamma.detach(), beta.detach(), statistics)
                     .requires_grad_() if statistics
                     else F.batch_norm(x, None, None, gamma, beta, True, 0.0, ctx.eps))
            y = ctx.activate(inner, slope.to(inner.dtype))
        if not statistics:
            return (*torch.autograd.grad(y, [*tensors, slope], grad), None, None)
        grad_inner, grad_slope = torch.autograd.grad(y, (inner, slope), grad)
        return (*norm_gradients(grad_inner, x.detach(), gamma.detach(), statistics, ctx.eps,
                                (True, True, True)), grad_slope, None, None)
