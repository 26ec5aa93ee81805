"""PReLU whose backward pass stores no map for the gradient of the slopes."""
import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.device import is_asynchronous


class HostPReLU(nn.PReLU):
    """nn.PReLU of maps [N, C, ...], with its state and results.

    On the host, torch computes the gradient of the slopes for every pixel, before it is summed,
    in a loop that takes thirty times as long as the other steps. Accelerators and traced graphs
    use torch's own. There are no second derivatives.
    """

    def forward(self, input: Tensor) -> Tensor:
        if (input.dim() < 2 or input.dtype != self.weight.dtype or is_asynchronous(input.device)
                or torch.compiler.is_compiling() or torch.jit.is_tracing()):
            return super().forward(input)
        return quick_prelu(input, self.weight)


def quick_prelu(x: Tensor, slope: Tensor) -> Tensor:
    """F.prelu of maps x [N, C, ...] with the backward pass of HostPReLU."""
    return _PReLU.apply(x, slope)


def host_prelu(module: nn.Module) -> nn.Module:
    """Turn each PReLU of `module` into a HostPReLU, in place."""
    for layer in module.modules():
        if type(layer) is nn.PReLU:
            layer.__class__ = HostPReLU
    return module


def prelu_gradients(grad: Tensor, x: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of x [N, C, ...] and of the slopes, one or C of them."""
    each = slope.view(-1, *[1] * (x.dim() - 2))
    # These few passes take a third of the time of torch.where.
    above = torch.ops.aten.threshold_backward(grad, x, 0)
    below = grad - above
    grad_x = above.addcmul_(below, each)
    products = below.mul_(x)
    grad_slope = products.sum() if len(slope) == 1 else products.sum(
        [i for i in range(x.dim()) if i != 1])
    return grad_x, grad_slope.view(slope.shape)


class _PReLU(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(x, slope)
        return torch.nn.functional.prelu(x, slope)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, Tensor]:
        return prelu_gradients(grad, *ctx.saved_tensors)
