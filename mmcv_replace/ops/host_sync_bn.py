"""Batch norm over the batches of all processes, on devices without kernels for torch's."""
import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..cnn.utils.sync_bn import BatchNormXd, replace_sync_batchnorm
from ..utils.errors import ArgumentError


class _SumOverProcesses(torch.autograd.Function):
    """Sum of a tensor over all processes; backward sums the gradients of all processes."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    backward = forward


class HostSyncBatchNorm(BatchNormXd):
    """As torch.nn.SyncBatchNorm, of torch operations and two differentiable all-reduces.

    x: [N, C, ...]; N may differ between processes. The variance is computed around the mean of all
    processes, since a difference of squares would lose digits. Raises ArgumentError where all
    processes together hold one value per channel, which has no variance.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(x)
        self._check_input_dim(x)
        dims = [0, *range(2, x.dim())]
        shape = [1, -1, *[1] * (x.dim() - 2)]
        # As in every batch norm, statistics of low-precision batches are float32.
        wide = x.float() if x.dtype.itemsize < 4 else x
        own = x.numel() // x.shape[1]
        local = torch.cat([wide.sum(dims), wide.new_tensor([own])])
        total = _SumOverProcesses.apply(local)
        count = total[-1]
        if own <= 1 and count < 2:  # on all processes alike
            raise ArgumentError(
                f'SyncBN: the batches of all {dist.get_world_size()} processes together hold '
                f'{int(count)} value a channel, which has no variance: set data.samples_per_gpu to '
                '2 or more')
        mean = total[:-1] / count
        centred = wide - mean.reshape(shape)
        variance = _SumOverProcesses.apply(centred.square().sum(dims)) / count
        if self.track_running_stats:
            self._update_statistics(mean.detach(), variance.detach(), count.detach())
        out = centred * (variance + self.eps).rsqrt().reshape(shape)
        if self.affine:
            out = out * self.weight.reshape(shape) + self.bias.reshape(shape)
        return out.to(x.dtype)

    def _update_statistics(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        self.num_batches_tracked += 1
        momentum = self.momentum
        if momentum is None:  # a plain mean over all batches so far
            momentum = 1 / self.num_batches_tracked.item()
        unbiased = variance * count / (count - 1)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), momentum)


def shares_statistics(norm: nn.Module) -> bool:
    """Whether a norm computes its statistics over the batches of several processes."""
    return (isinstance(norm, nn.SyncBatchNorm | HostSyncBatchNorm)
            and dist.is_available() and dist.is_initialized()
            and dist.get_world_size(getattr(norm, 'process_group', None)) > 1)


def use_host_sync_batchnorm(module: nn.Module) -> nn.Module:
    """Replace every torch SyncBatchNorm in `module`, in place; names and parameters are kept."""
    return replace_sync_batchnorm(module, HostSyncBatchNorm)
