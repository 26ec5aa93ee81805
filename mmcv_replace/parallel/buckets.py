"""Exchange many tensors between processes in few messages, since each message has a cost."""
import math
from collections.abc import Callable, Iterable, Iterator

import torch


def exchange_joined(tensors: Iterable[torch.Tensor],
                    exchange: Callable[[torch.Tensor], torch.Tensor],
                    limit: float = math.inf) -> None:
    """Replace the values of tensors of any shapes by what `exchange` makes of them.

    It gets tensors [n], each with all values of several of one data type and device that hold at
    most `limit` bytes together, or of a single one, and returns as many.
    """
    for bucket in _buckets(tensors, limit):
        values = exchange(torch.cat([tensor.flatten() for tensor in bucket]))
        parts = values.split([tensor.numel() for tensor in bucket])
        for tensor, part in zip(bucket, parts, strict=True):
            tensor.copy_(part.view_as(tensor))


def _buckets(tensors: Iterable[torch.Tensor], limit: float) -> Iterator[list[torch.Tensor]]:
    kinds: dict[tuple, list[torch.Tensor]] = {}
    for tensor in tensors:
        kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    for group in kinds.values():
        bucket, size = [], 0
        for tensor in group:
            if bucket and size + tensor.nbytes > limit:
                yield bucket
                bucket, size = [], 0
            bucket.append(tensor)
            size += tensor.nbytes
        yield bucket
