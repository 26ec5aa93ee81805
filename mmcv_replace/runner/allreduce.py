"""Averages tensors over the processes of a job."""
from collections.abc import Iterable, Iterator, Sequence

import torch
import torch.distributed as dist

from ..utils.rank import get_dist_info


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
    for bucket in _buckets(tensors, bucket_size_mb) if coalesce else [[t] for t in tensors]:
        flat = torch.cat([tensor.flatten() for tensor in bucket])
        if not flat.is_floating_point():  # counters
            flat = flat.double()
        dist.all_reduce(flat.div_(world_size))
        parts = flat.split([tensor.numel() for tensor in bucket])
        for tensor, part in zip(bucket, parts, strict=True):
            tensor.copy_(part.view_as(tensor))


def _buckets(tensors: Sequence[torch.Tensor], size_mb: int) -> Iterator[list[torch.Tensor]]:
    """Tensors of one data type and device together, up to a number of MiB where it is positive."""
    kinds: dict[tuple, list[torch.Tensor]] = {}
    for tensor in tensors:
        kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    for group in kinds.values():
        bucket, size = [], 0
        for tensor in group:
            length = tensor.numel() * tensor.element_size()
            if bucket and 0 < size_mb * 2**20 < size + length:
                yield bucket
                bucket, size = [], 0
            bucket.append(tensor)
            size += length
        yield bucket
