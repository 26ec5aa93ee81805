"""1 x 1 convolutions on the host as products of matrices.

oneDNN's convolutions of this kind are up to six times slower than its products where they have
many more channels on one side than on the other; over the layers of a ResNet-50, products take 0.7
of the time (measured with AVX-512).
"""
import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.device import is_asynchronous
from mmcv_replace.utils.autocast import autocast_dtype

from .host_products import affine, by_onednn, products

_LEAST_PIXELS = 1024


class PointwiseConv2d(nn.Conv2d):
    """A 1 x 1 convolution with the state of nn.Conv2d and, up to rounding, its results.

    Maps in channels_last of which a gradient is wanted, small ones, other types than float32,
    accelerators, traced graphs and hosts without these products use torch's own. There are no
    second derivatives.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if multiplies(self, input, weight):
            return _PointwiseConv.apply(input, weight, bias)
        if _multiplies_last(self, input, weight, bias):
            return _last_conv(input, weight, bias)
        return super()._conv_forward(input, weight, bias)


def use_products(module: nn.Module) -> nn.Module:
    """Turn each 1 x 1 convolution that may profit into a PointwiseConv2d, in place."""
    for layer in module.modules():
        if (type(layer) is nn.Conv2d and layer.kernel_size == (1, 1) and layer.stride == (1, 1)
                and layer.padding == (0, 0) and layer.groups == 1):
            layer.__class__ = PointwiseConv2d
    return module


def multiplies(conv: nn.Conv2d, x: Tensor, weight: Tensor) -> bool:
    """Whether `conv` multiplies x [N, C, H, W] by its `weight`, or a part of that, as matrices."""
    return (_fits(conv, x, weight) and x.is_contiguous()
            and by_onednn(weight.flatten(1)[None], x.flatten(2).transpose(1, 2)))


def _multiplies_last(conv: nn.Conv2d, x: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    """The same for x in channels_last, of which no gradient is wanted."""
    wanted = torch.is_grad_enabled() and any(
        each is not None and each.requires_grad for each in (x, weight, bias))
    return (not wanted and _fits(conv, x, weight)
            and x.is_contiguous(memory_format=torch.channels_last)
            and by_onednn(_pixels(x)[None], weight.flatten(1)[None]))


def _fits(conv: nn.Conv2d, x: Tensor, weight: Tensor) -> bool:
    return (isinstance(conv, PointwiseConv2d) and x.dim() == 4
            and x.dtype == weight.dtype == torch.float32
            and not is_asynchronous(x.device) and autocast_dtype(x) is None
            and not torch.compiler.is_compiling() and not torch.jit.is_tracing()
            and len(x) and x.shape[2] * x.shape[3] >= _LEAST_PIXELS)


def _pixels(x: Tensor) -> Tensor:
    """A map in channels_last as a matrix: [N, C, H, W] -> [N * H * W, C]."""
    return x.permute(0, 2, 3, 1).flatten(0, 2)


def _last_conv(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """[N, C, H, W] -> [N, O, H, W], both in channels_last; the product adds the bias, too."""
    n, _, height, width = x.shape
    out = affine(_pixels(x), weight.flatten(1), bias)
    return out.view(n, height, width, -1).permute(0, 3, 1, 2)


def pointwise_gradients(grad: Tensor, x: Tensor, weight: Tensor,
                        wanted: tuple[bool, bool, bool]) -> tuple[Tensor | None, ...]:
    """Gradients of x, weight and bias for `grad` [N, O, H, W]; None for those not in `wanted`."""
    matrix, rows, columns = weight.flatten(1), grad.contiguous().flatten(2), x.flatten(2)
    grad_x = grad_weight = None
    if wanted[0]:
        grad_x = products(matrix.t().expand(len(x), -1, -1), rows.transpose(1, 2)).view(x.shape)
    if wanted[1]:
        grad_weight = products(rows[:1], columns[:1])[0]
        for i in range(1, len(x)):
            grad_weight += products(rows[i:i + 1], columns[i:i + 1])[0]
        grad_weight = grad_weight.view(weight.shape)
    return grad_x, grad_weight, rows.sum((0, 2)) if wanted[2] else None


class _PointwiseConv(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        matrix = weight.flatten(1).expand(len(x), -1, -1)
        out = products(matrix, x.flatten(2).transpose(1, 2))
        # No view, which nobody may change in place behind a Function.
        out = torch.ops.aten._unsafe_view(out, [*out.shape[:2], *x.shape[2:]])
        return out if bias is None else out.add_(bias.view(-1, 1, 1))

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        return pointwise_gradients(grad, *ctx.saved_tensors, ctx.needs_input_grad[:3])
