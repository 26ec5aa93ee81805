"""Convolution layers that use Winograd's algorithm where it is faster."""
from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmcv_replace.device import is_asynchronous
from mmcv_replace.utils.autocast import autocast_dtype

from .depthwise import SplitDepthwiseConv2d, split_gradients, splits
from .patch_conv import is_large, patch_conv2d, patch_gradients, prefers_patches
from .pointwise_conv import PointwiseConv2d, multiplies, pointwise_gradients
from .winograd import share_of_products, winograd_conv2d, winograd_gradients
from .winograd_phases import phase_conv2d, phase_gradients, phase_share

# For fewer channels or pixels, the transforms cost more than they save (measured with AVX-512).
_LEAST_CHANNELS = 100  # C O / (C + O)
_LEAST_PIXELS = 1024
_LARGEST_SHARE = 0.5


class WinogradConv2d(nn.Conv2d):
    """A 3 x 3 convolution with the state of nn.Conv2d and, up to rounding, its results.

    Very small maps are multiplied as matrices (`patch_conv`). For others that are small, low
    precision, accelerators and traced graphs, it is torch's own algorithm. There are no second
    derivatives.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        functions = _functions(self, input, weight)
        if functions is not None:
            return functions[0](input, weight, bias, self.dilation)
        return super()._conv_forward(input, weight, bias)


# Classes of torch's own convolution, whatever the algorithm.
CONV2D_TYPES = (nn.Conv2d, WinogradConv2d, SplitDepthwiseConv2d, PointwiseConv2d)


def is_plain_conv(conv: nn.Module) -> bool:
    """Whether `conv` is torch's own convolution, with zero padding and without hooks."""
    return (type(conv) in CONV2D_TYPES and conv.padding_mode == 'zeros'
            and not (conv._forward_pre_hooks or conv._forward_hooks))


def use_winograd(module: nn.Module) -> nn.Module:
    """Turn each convolution that the algorithm may speed up into a WinogradConv2d, in place."""
    for layer in module.modules():
        if type(layer) is nn.Conv2d and _may_profit(layer):
            # Only the class changes, so that hooks and parameters stay.
            layer.__class__ = WinogradConv2d
    return module


def _may_profit(conv: nn.Conv2d) -> bool:
    return (conv.kernel_size == (3, 3) and conv.stride == (1, 1) and conv.groups == 1
            and conv.padding == conv.dilation and conv.padding_mode == 'zeros'
            and has_enough_channels(conv.in_channels, conv.out_channels))


def keep_large_kernels(module: nn.Module) -> nn.Module:
    """Lay the large kernels of each WinogradConv2d in torch's usual order again, in place.

    For models in channels_last: their products take both orders, and torch's fused optimizers copy
    weights that are not in the usual one, which takes six times as long as the step itself.
    """
    for layer in module.modules():
        if isinstance(layer, WinogradConv2d) and is_large(layer.weight):
            layer.weight.data = layer.weight.data.contiguous()
    return module


def has_enough_channels(inputs: int, outputs: int) -> bool:
    """Whether the products that the algorithm saves outweigh its transforms."""
    return inputs * outputs >= _LEAST_CHANNELS * (inputs + outputs)


def _functions(conv: nn.Conv2d, x: Tensor, weight: Tensor) -> tuple[Callable, Callable] | None:
    """The convolution and its gradients in another form than torch's, if one is faster.

    For x [N, C, H, W] and `conv`'s weight, or a part of that.
    """
    if not (isinstance(conv, WinogradConv2d) and x.dim() == 4
            and x.dtype == weight.dtype and x.dtype in (torch.float32, torch.float64)
            and not is_asynchronous(x.device) and autocast_dtype(x) is None
            and not torch.compiler.is_compiling() and not torch.jit.is_tracing() and len(x)):
        return None
    if prefers_patches(x, weight):
        return patch_conv2d, patch_gradients
    in_tiles, in_phases = _shares(conv, x)
    if x.shape[2] * x.shape[3] < _LEAST_PIXELS or min(in_tiles, in_phases) > _LARGEST_SHARE:
        return None
    if in_phases < in_tiles:
        return phase_conv2d, phase_gradients
    return winograd_conv2d, winograd_gradients


def _shares(conv: nn.Conv2d, x: Tensor) -> tuple[float, float]:
    """Share of the plain convolution's work: in tiles of all rows, and in phases of a dilation."""
    size = tuple(x.shape[2:])
    return (share_of_products(size, conv.dilation), phase_share(len(x), size, conv.dilation))


def convolution_gradients(conv: nn.Conv2d, grad: Tensor, x: Tensor, weight: Tensor,
                          wanted: tuple[bool, bool, bool]) -> tuple[Tensor | None, ...]:
    """Gradients of the input, weight and bias of `conv`; None for those not in `wanted`.

    grad: [N, O, H', W'], x: [N, C, H, W], weight in the dtype of x.
    """
    functions = _functions(conv, x, weight)
    if functions is not None:
        return functions[1](grad, x, weight, conv.dilation, wanted)
    if splits(conv, x):
        return split_gradients(conv, grad, x, weight, wanted)
    if multiplies(conv, x, weight):
        return pointwise_gradients(grad, x, weight, wanted)
    return torch.ops.aten.convolution_backward(
        grad, x, weight, [weight.shape[0]] if wanted[2] else None, conv.stride, conv.padding,
        conv.dilation, False, [0, 0], conv.groups, list(wanted))
