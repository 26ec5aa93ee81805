"""A convolution after batch norm and ReLU that stores less for its backward pass."""
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from .sync_bn import BatchNormXd
from .winograd_conv import CONV2D_TYPES, convolution_gradients


def norm_relu_conv(norm: nn.Module, relu: nn.Module, conv: nn.Module, x: Tensor,
                   recompute: bool) -> Tensor:
    """conv(relu(norm(x))); with `recompute`, backward computes the convolution's input again.

    The input is then not stored, which saves about a sixth of the activations of a residual network
    for a norm and a ReLU that are cheap compared with the convolution. Results and gradients are
    the same. Layers for which this is not known (other types, hooks, norms in eval mode) are
    called in the plain way.
    """
    if recompute and is_trained_norm_relu(norm, relu) and _is_plain_conv(conv):
        return _NormReluConv.apply(x, norm.weight, norm.bias, conv.weight, conv.bias, norm, conv)
    return conv(relu(norm(x)))


def is_trained_norm_relu(norm: nn.Module, relu: nn.Module) -> bool:
    """Whether a gradient is wanted, and the layers are torch's batch norm in training and ReLU.

    They have no hooks, and nothing traces them.
    """
    return (torch.is_grad_enabled() and type(norm) in (nn.BatchNorm2d, BatchNormXd)
            and norm.training and norm.affine and type(relu) is nn.ReLU
            and not _has_hooks(norm) and not _has_hooks(relu)
            and not torch.compiler.is_compiling())


def _is_plain_conv(conv: nn.Module) -> bool:
    return (type(conv) in CONV2D_TYPES and conv.padding_mode == 'zeros'
            and not isinstance(conv.padding, str) and not _has_hooks(conv))


def _has_hooks(layer: nn.Module) -> bool:
    return bool(layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks
                or layer._backward_pre_hooks)


class _NormReluConv(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, gamma: Tensor, beta: Tensor, weight: Tensor,
                bias: Tensor | None, norm: nn.Module, conv: nn.Conv2d) -> Tensor:
        ctx.save_for_backward(x, gamma, beta, weight)
        ctx.eps, ctx.conv = norm.eps, conv
        return conv(F.relu_(norm(x)))

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Any, ...]:
        x, gamma, beta, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        leaves = [leaf.detach().requires_grad_() for leaf in (x, gamma, beta)]
        with torch.enable_grad():
            # The same values give the same statistics, so this equals the forward pass exactly.
            y = F.relu_(F.batch_norm(leaves[0], None, None, *leaves[1:], True, 0.0, ctx.eps))
        grad_y, grad_weight, grad_bias = convolution_gradients(
            ctx.conv, grad, y.detach().to(grad.dtype), weight.to(grad.dtype),
            (any(wanted[:3]), wanted[3], wanted[4]))
        outer = (None if value is None else value.to(weight.dtype)
                 for value in (grad_weight, grad_bias))
        inner = (torch.autograd.grad(y, leaves, grad_y.to(y.dtype)) if any(wanted[:3])
                 else (None, None, None))
        return (*inner, *outer, None, None)
