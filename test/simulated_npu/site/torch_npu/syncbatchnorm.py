"""Batch norm over all processes as torch_npu computes it, without torch's boolean index."""
import torch
import torch.distributed as dist
from torch.nn.modules import batchnorm

# Of the input, as the vendor lists them.
TYPES = (torch.float16, torch.float32)


def install():
    """Put it in the place of torch's, which torch.nn.SyncBatchNorm calls."""
    batchnorm.sync_batch_norm = SyncBatchNorm


class SyncBatchNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, running_mean, running_var, eps, momentum, group, world_size):
        if x.dtype not in TYPES:
            raise RuntimeError(f'SyncBatchNorm: input of {x.dtype} is not supported, only '
                               f'{" and ".join(map(str, TYPES))}')
        channels = x.shape[1]
        wide = x.float()
        dims = [0, *range(2, x.dim())]
        shape = [1, channels] + [1] * (x.dim() - 2)
        local = torch.cat([wide.sum(dims), wide.square().sum(dims),
                           torch.full((1,), x.numel() // channels, dtype=torch.float32,
                                      device=x.device)])
        parts = [torch.empty_like(local) for _ in range(world_size)]
        dist.all_gather(parts, local, group)
        total, square, count = torch.stack(parts).sum(0).split([channels, channels, 1])
        mean = total / count
        var = (square / count - mean.square()).clamp_(min=0)
        if running_mean is not None:
            running_mean.mul_(1 - momentum).add_(mean * momentum)
            running_var.mul_(1 - momentum).add_(var * count / (count - 1) * momentum)
        invstd = (var + eps).rsqrt()
        normed = (wide - mean.view(shape)) * invstd.view(shape)
        ctx.save_for_backward(normed, weight, invstd, count)
        ctx.group, ctx.dims, ctx.shape = group, dims, shape
        out = normed if weight is None else normed * weight.view(shape) + bias.view(shape)
        return out.to(x.dtype)

    @staticmethod
    def backward(ctx, grad):
        normed, weight, invstd, count = ctx.saved_tensors
        wide = grad.float()
        grad_bias = wide.sum(ctx.dims)
        grad_weight = (wide * normed).sum(ctx.dims)
        sums = torch.cat([grad_bias, grad_weight])
        dist.all_reduce(sums, group=ctx.group)
        mean_grad, mean_grad_normed = (sums / count).view(2, *ctx.shape)
        scale = (invstd if weight is None else invstd * weight).view(ctx.shape)
        grad_x = (wide - mean_grad - normed * mean_grad_normed) * scale
        if weight is None:
            grad_weight = grad_bias = None
        return grad_x.to(grad.dtype), grad_weight, grad_bias, *[None] * 6
