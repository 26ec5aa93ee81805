"""Bring objects of all processes to the first one."""
from typing import TypeVar

import torch.distributed as dist

from ..runner.dist_utils import host_group
from ..utils.rank import get_dist_info

T = TypeVar('T')


def gather_parts(part: T, over_devices: bool = False) -> list[T] | None:
    """The parts of all processes in their order on rank 0, None elsewhere; each has to call this.

    They travel over the network of the hosts, or with `over_devices` over that of the devices.
    """
    rank, world_size = get_dist_info()
    if world_size == 1:
        return [part]
    parts = [None] * world_size
    if over_devices:
        dist.all_gather_object(parts, part)
    else:
        dist.gather_object(part, parts if rank == 0 else None, group=host_group())
    return parts if rank == 0 else None
