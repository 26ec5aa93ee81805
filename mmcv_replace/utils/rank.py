"""Which of the processes of a distributed job this one is."""
import os

import torch.distributed as dist


def get_dist_info() -> tuple[int, int]:
    """Rank and number of processes; (0, 1) without a process group."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def is_main_process() -> bool:
    """Whether this process speaks for the job; without a group yet the launcher's RANK tells."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank() == 0
    return os.environ.get('RANK', '0') == '0'
