"""Batch norms in training whose statistics a host finds in a fifth of the time.

torch's own kernel adds the values of a channel one by one in double precision; here reductions over
whole rows do it, in blocks that stay in the processor's cache: first the mean, then the squares of
the distances from it, so that a large mean costs no digits. Results are equal up to rounding.
"""
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

from mmcv_replace.device import is_asynchronous

from .sync_bn import BatchNormXd

# For fewer values, the calls take longer than the kernel.
_LEAST_VALUES = 2**17
_LONGEST_SUM = 2**14
_BLOCK = 2**17  # values whose distances from the mean are held at a time

Statistics = tuple[Tensor, Tensor]  # mean [C] and 1 / standard deviation [C]


class _HostNorm:
    """What the two classes of norms below share."""

    def forward(self, x: Tensor) -> Tensor:
        if not uses_host_norm(self, x):
            return super().forward(x)
        return _Norm.apply(x, self.weight, self.bias, self)


class HostBatchNorm2d(_HostNorm, nn.BatchNorm2d):
    """nn.BatchNorm2d with its state and, up to rounding, its results.

    Other types than float32 and float64, small maps, accelerators and traced graphs use torch's
    own kernel. There are no second derivatives.
    """


class HostBatchNormXd(_HostNorm, BatchNormXd):
    """The same for what replaces SyncBatchNorm in one process."""


_REPLACED = {nn.BatchNorm2d: HostBatchNorm2d, BatchNormXd: HostBatchNormXd}
# Classes of torch's own batch norm, whatever the kernel.
BATCH_NORM_TYPES = (*_REPLACED, *_REPLACED.values())


def use_host_norms(module: nn.Module) -> nn.Module:
    """Turn each batch norm of a kind that is known into a fast one, in place."""
    for layer in module.modules():
        # Only the class changes, so that hooks and parameters stay.
        layer.__class__ = _REPLACED.get(type(layer), type(layer))
    return module


def uses_host_norm(norm: nn.Module, x: Tensor) -> bool:
    """Whether `norm` computes the statistics of x [N, C, H, W] in the fast way."""
    return (isinstance(norm, _HostNorm) and norm.training and norm.affine and x.dim() == 4
            and x.dtype == norm.weight.dtype and x.dtype in (torch.float32, torch.float64)
            and x.numel() >= _LEAST_VALUES and x.is_contiguous() and not is_asynchronous(x.device)
            and not torch.compiler.is_compiling() and not torch.jit.is_tracing())


def norm_and_statistics(norm: nn.Module, x: Tensor) -> tuple[Tensor, Statistics | None]:
    """The result of a batch norm in training, and what `norm_again` needs; None if unknown.

    Without gradients. Running statistics are updated.
    """
    if not uses_host_norm(norm, x):
        return norm(x), None
    mean, variance = _mean_and_variance(x)
    _update(norm, mean, variance, x.numel() // x.size(1))
    statistics = mean, (variance + norm.eps).rsqrt()
    return norm_again(x, norm.weight, norm.bias, statistics), statistics


def norm_again(x: Tensor, gamma: Tensor, beta: Tensor, statistics: Statistics) -> Tensor:
    """The normalised x [N, C, H, W] from statistics that are known."""
    mean, scale = statistics
    scale = scale * gamma
    zero = torch.zeros_like(mean)
    return F.batch_norm(x, zero, zero + 1, scale, beta - mean * scale, False, 0.0, 0.0)


def norm_gradients(grad: Tensor, x: Tensor, gamma: Tensor, statistics: Statistics, eps: float,
                   wanted: tuple[bool, bool, bool]) -> tuple[Tensor | None, ...]:
    """Gradients of x, gamma and beta; None for those not in `wanted`."""
    return torch.ops.aten.native_batch_norm_backward(
        grad, x, gamma, None, None, *statistics, True, eps, list(wanted))


class _Norm(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, gamma: Tensor, beta: Tensor, norm: nn.Module
                ) -> Tensor:
        y, statistics = norm_and_statistics(norm, x)
        ctx.save_for_backward(x, gamma, *statistics)
        ctx.eps = norm.eps
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, gamma, *statistics = ctx.saved_tensors
        return (*norm_gradients(grad.contiguous(), x, gamma, tuple(statistics), ctx.eps,
                                ctx.needs_input_grad[:3]), None)


def _mean_and_variance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel: [N, C, H, W] -> [C], [C]."""
    images, channels = x.shape[:2]
    pixels = x[0, 0].numel()
    # Long sums lose digits: those of large planes are taken by rows.
    rows = x.flatten(2, -2) if pixels > _LONGEST_SUM else x.flatten(2).unsqueeze(2)
    mean = rows.mean((2, 3)).mean(0)
    variance = torch.empty_like(mean)
    count = max(1, _BLOCK // (images * pixels))
    distances = x.new_empty(images, min(count, channels), *rows.shape[2:])
    for begin in range(0, channels, count):
        part = slice(begin, min(begin + count, channels))
        own = torch.sub(rows[:, part], mean[part].view(-1, 1, 1),
                        out=distances[:, :part.stop - begin])
        variance[part] = torch.linalg.vector_norm(own, dim=3).square().sum((0, 2))
    return mean, variance / (images * pixels)


def _update(norm: nn.Module, mean: Tensor, variance: Tensor, count: int) -> None:
    """Running statistics as torch keeps them, of the unbiased variance."""
    if not norm.track_running_stats:
        return
    norm.num_batches_tracked.add_(1)
    part = norm.momentum
    if part is None:  # the mean of all batches
        part = 1 / norm.num_batches_tracked.to(mean.dtype)
    norm.running_mean.lerp_(mean, part)
    norm.running_var.lerp_(variance * (count / max(1, count - 1)), part)
