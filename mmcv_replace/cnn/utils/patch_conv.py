"""3 x 3 convolutions of small maps as one product of matrices.

Where a kernel has more values than the patches of the map that it is multiplied by, reading it is
what takes time, and oneDNN's convolutions copy it into an order of their own in each pass. A
product reads the weight as it lies, and writes its gradient in the same order.
"""
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from .host_products import products

_LEAST_KERNEL = 2**20  # values; smaller ones stay in the caches
_LARGEST_SHARE = 0.5  # of the patches in the size of the kernel (measured with AVX-512)


def prefers_patches(x: Tensor, weight: Tensor) -> bool:
    """Whether the kernel, [O, C, 3, 3], is large for the map x [N, C, H, W]."""
    pixels = len(x) * x.shape[2] * x.shape[3]
    return is_large(weight) and pixels <= _LARGEST_SHARE * len(weight)


def is_large(weight: Tensor) -> bool:
    """Whether a kernel is too large for the caches."""
    return weight.numel() >= _LEAST_KERNEL


def patch_conv2d(x: Tensor, weight: Tensor, bias: Tensor | None, dilation: tuple[int, int]
                 ) -> Tensor:
    """F.conv2d(x, weight, bias, padding=dilation, dilation=dilation), equal up to rounding.

    x: [N, C, H, W], weight: [O, C, 3, 3] -> [N, O, H, W].
    """
    return _PatchConv.apply(x, weight, bias, dilation)


def patch_gradients(grad: Tensor, x: Tensor, weight: Tensor, dilation: tuple[int, int],
                    wanted: tuple[bool, bool, bool]) -> tuple[Tensor | None, ...]:
    """Gradients of x, weight and bias for `grad` [N, O, H, W]; None for those not in `wanted`."""
    last = _is_last(weight)
    rows = grad.permute(0, 2, 3, 1).reshape(-1, len(weight))  # [N H W, O]
    grad_x = grad_weight = None
    if wanted[0]:
        patches = products(rows[None], _matrix(weight, last).t()[None])[0]
        grad_x = _sum_of_patches(patches, x, dilation, last)
    if wanted[1]:
        flat = products(rows.t()[None], _patches(x, dilation, last).t()[None])[0]
        grad_weight = (flat.view(len(weight), 3, 3, -1).permute(0, 3, 1, 2) if last
                       else flat.view(weight.shape))
    return grad_x, grad_weight, rows.sum(0) if wanted[2] else None


class _PatchConv(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None,
                dilation: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        last = _is_last(weight)
        rows = products(_patches(x, dilation, last)[None], _matrix(weight, last)[None])[0]
        if bias is not None:
            rows += bias
        # As torch, which takes channels_last from any of the two. No view, which nobody may change
        # in place behind a Function.
        kind = torch.channels_last if last or _is_last(x) else torch.contiguous_format
        out = torch.empty(len(x), len(weight), *x.shape[2:], dtype=x.dtype, device=x.device,
                          memory_format=kind)
        return out.copy_(rows.view(len(x), *x.shape[2:], -1).permute(0, 3, 1, 2))

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        return (*patch_gradients(grad, x, weight, ctx.dilation, ctx.needs_input_grad[:3]), None)


def _is_last(x: Tensor) -> bool:
    """Whether the values of a pixel lie side by side."""
    return x.stride(1) == 1 and not x.is_contiguous()


def _matrix(weight: Tensor, last: bool) -> Tensor:
    """The kernel as [O, 9 C], or [O, C 9] without `last`, without a copy if it has no gaps."""
    return (weight.permute(0, 2, 3, 1) if last else weight).reshape(len(weight), -1)


def _patches(x: Tensor, dilation: tuple[int, int], last: bool) -> Tensor:
    """What the kernel sees around each pixel: [N, C, H, W] -> [N H W, 9 C], or [N H W, C 9]."""
    (down, right), (height, width) = dilation, x.shape[2:]
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, right, right, down, down))
    nine = [padded[:, i * down:i * down + height, j * right:j * right + width]
            for i in range(3) for j in range(3)]
    return torch.stack(nine, dim=3 if last else 4).view(-1, 9 * x.shape[1])


def _sum_of_patches(patches: Tensor, like: Tensor, dilation: tuple[int, int], last: bool) -> Tensor:
    """The transpose of `_patches`, in the shape and the memory format of `like`."""
    (down, right), (n, c, height, width) = dilation, like.shape
    nine = patches.view(n, height, width, *((9, c) if last else (c, 9))).unbind(3 if last else 4)
    padded = patches.new_zeros(n, height + 2 * down, width + 2 * right, c)
    for k, part in enumerate(nine):
        i, j = k // 3 * down, k % 3 * right
        padded[:, i:i + height, j:j + width] += part
    inner = padded[:, down:down + height, right:right + width].permute(0, 3, 1, 2)
    return torch.empty_like(like).copy_(inner)
