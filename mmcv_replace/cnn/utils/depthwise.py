"""Depthwise convolutions with dilation, computed without it."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.device import is_asynchronous

# Kernels of the host compute these rows and columns of a kernel with dilation at once, but not on
# maps in channels_last.
_FAST_KERNEL = 3


class SplitDepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution with dilation, with the state and the results of nn.Conv2d.

    The pixels that such a convolution joins are `dilation` apart, so that it is one without
    dilation on each of dilation ** 2 smaller maps. For the gradients of a 3 x 3 kernel, and
    altogether for larger ones and for maps in channels_last, this is two to eight times faster on
    the host, whose kernels for dilation are slow. Accelerators and traced graphs use torch's own.
    There are no second derivatives.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if splits(self, input):
            return _SplitDepthwise.apply(input, weight, bias, self)
        return super()._conv_forward(input, weight, bias)


def split_depthwise(module: nn.Module) -> nn.Module:
    """Turn each depthwise convolution that may profit into a SplitDepthwiseConv2d, in place."""
    for layer in module.modules():
        if type(layer) is nn.Conv2d and _may_profit(layer):
            layer.__class__ = SplitDepthwiseConv2d
    return module


def _may_profit(conv: nn.Conv2d) -> bool:
    dilation, size = conv.dilation[0], conv.kernel_size[0]
    return (conv.groups == conv.in_channels == conv.out_channels > 1 and conv.stride == (1, 1)
            and dilation > 1 and conv.dilation == (dilation,) * 2 and size % 2 == 1
            and conv.kernel_size == (size,) * 2 and conv.padding_mode == 'zeros'
            and conv.padding == (size // 2 * dilation,) * 2)


def splits(conv: nn.Conv2d, x: Tensor) -> bool:
    """Whether `conv` splits the map x [N, C, H, W]."""
    return (isinstance(conv, SplitDepthwiseConv2d) and x.dim() == 4
            and not is_asynchronous(x.device) and not torch.compiler.is_compiling()
            and not torch.jit.is_tracing())


def split_gradients(conv: nn.Conv2d, grad: Tensor, x: Tensor, weight: Tensor,
                    wanted: tuple[bool, bool, bool]) -> tuple[Tensor | None, ...]:
    """Gradients of x, weight and bias for `grad` [N, C, H, W]; None for those not in `wanted`."""
    dilation = conv.dilation[0]
    grad_x, grad_weight, grad_bias = torch.ops.aten.convolution_backward(
        _split(grad, dilation), _split(x, dilation), weight, [len(weight)] if wanted[2] else None,
        [1, 1], [conv.kernel_size[0] // 2] * 2, [1, 1], False, [0, 0], conv.groups, list(wanted))
    return _join(grad_x, dilation, x) if wanted[0] else None, grad_weight, grad_bias


class _SplitDepthwise(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None,
                conv: nn.Conv2d) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.conv = conv
        if conv.kernel_size[0] <= _FAST_KERNEL and x.is_contiguous():
            return F.conv2d(x, weight, bias, 1, conv.padding, conv.dilation, conv.groups)
        parts = F.conv2d(_split(x, conv.dilation[0]), weight, bias, 1, conv.kernel_size[0] // 2, 1,
                         conv.groups)
        return _join(parts, conv.dilation[0], x)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        return (*split_gradients(ctx.conv, grad, x.to(grad.dtype), weight.to(grad.dtype),
                                 ctx.needs_input_grad[:3]), None)


def _split(x: Tensor, step: int) -> Tensor:
    """The maps of every `step`-th pixel: [N, C, H, W] -> [N step ** 2, C, H / step, W / step].

    Zeros complete the last rows and columns, as those beyond the border. The result is in
    channels_last, which the kernels of depthwise convolutions are faster on.
    """
    n, c, h, w = x.shape
    x = F.pad(x, (0, -w % step, 0, -h % step)) if h % step or w % step else x
    rows, columns = x.shape[2] // step, x.shape[3] // step
    x = x.permute(0, 2, 3, 1).reshape(n, rows, step, columns, step, c)
    return x.permute(0, 2, 4, 1, 3, 5).reshape(-1, rows, columns, c).permute(0, 3, 1, 2)


def _join(parts: Tensor, step: int, like: Tensor) -> Tensor:
    """The transpose of `_split`, of the shape and in the memory format of `like`."""
    n, c, h, w = like.shape
    rows, columns = parts.shape[2:]
    x = parts.permute(0, 2, 3, 1).reshape(n, step, step, rows, columns, c)
    x = x.permute(0, 3, 1, 4, 2, 5).reshape(n, rows * step, columns * step, c)[:, :h, :w]
    out = torch.empty_like(like, dtype=parts.dtype)
    return out.copy_(x.permute(0, 3, 1, 2))
