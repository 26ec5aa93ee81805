"""Averages tensors over the processes of a job."""
import math
from collections.abc import Iterable, Sequence

import torch
import torch.distributed as dist

from ..utils.rank import get_dist_info
from .buckets import exchange_joined


def allreduce_params(params: Iterable[torch.Tensor], coalesce: bool = True,
                     bucket_size_mb: int = -1) -> None:
    """Replace parameters or buffers by their means over all processes, which all have to call it.

    `coalesce`: exchange tensors of one data type together, which is faster for small ones.
    `bucket_size_mb`: MiB of one exchange at most; -1: no limit.
    """
    _average([tensor.data for tensor in params], coalesce, bucket_size_mb)


def allreduce_grads(params: Iterable[torch.nn.Parameter], coalesce: bool = True,
                    bucket_size_mb: int = -1) -> None:
    """`allreduce_params` for the gradients of the parameters that have one.

    DistributedDataParallel does this by itself; it is for models without that wrapper.
    """
    grads = [parameter.grad.data for parameter in params
             if parameter.requires_grad and parameter.grad is not None]
    _average(grads, coalesce, bucket_size_mb)


def _average(tensors: Sequence[torch.Tensor], coalesce: bool, bucket_size_mb: int) -> None:
    world_size = get_dist_info()[1]
    if world_size == 1:
        return

    def mean(values: torch.Tensor) -> torch.Tensor:
        if not values.is_floating_point():  # counters
            values = values.double()
        dist.all_reduce(values.div_(world_size))
        return values

    limit = bucket_size_mb * 2**20 if bucket_size_mb > 0 else math.inf
    exchange_joined(tensors, mean, limit if coalesce else 0)
