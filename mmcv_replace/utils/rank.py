"""The rank of this process in a distributed job."""
import os
from collections.abc import Sequence

import torch.distributed as dist


def get_dist_info() -> tuple[int, int]:
    """Rank of this process and number of processes; (0, 1) without a process group."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def is_main_process() -> bool:
    """Whether this is rank 0; before the process group exists, by the launcher's RANK."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank() == 0
    return os.environ.get('RANK', '0') == '0'


def get_local_rank() -> int:
    """Rank within the machine; 0 if the launcher sets none.

    The Ascend Operator starts one command on each node, with a list of devices as LOCAL_RANK: 0.
    """
    return _number('LOCAL_RANK', 0)


def get_local_size() -> int:
    """Number of processes of the job on this machine; 1 without a launcher."""
    one_command = not os.environ.get('LOCAL_RANK', '0').isdigit()
    return 1 if one_command else max(1, _number('LOCAL_WORLD_SIZE', 1))


def rank_prefix() -> str:
    """'rank 3: ' for the messages of one of several processes, otherwise ''."""
    named = os.environ.get('RANK', '').isdigit() and os.environ.get('LOCAL_RANK', '').isdigit()
    return f'rank {os.environ["RANK"]}: ' if named and _number('WORLD_SIZE', 1) > 1 else ''


def get_device_index(count: int, visible: Sequence[str]) -> int:
    """Index of the device for this process among the `count` visible ones.

    It is the local rank, or 0 where the launcher makes a single device visible to each process:
    slurm does if the node has at least as many devices as tasks; otherwise one of `visible`, the
    variables that select devices, must name exactly one. torchrun gives all its processes the same
    environment.
    """
    rank = get_local_rank()
    if count != 1 or 'TORCHELASTIC_RUN_ID' in os.environ:
        return rank
    if 'SLURM_PROCID' in os.environ and os.environ.get('SLURM_LOCALID') == str(rank):
        own = _number('SLURM_GPUS_ON_NODE', rank + 1) > rank
    else:
        chosen = [os.environ[name] for name in visible if os.environ.get(name, '').strip()]
        own = bool(chosen) and all(',' not in value for value in chosen)
    return 0 if own else rank


def list_variables(names: Sequence[str]) -> str:
    """', NAME=VALUE' for each environment variable that is set, for an error message."""
    return ''.join(f', {name}={os.environ[name]}' for name in names if name in os.environ)


def _number(name: str, default: int) -> int:
    value = os.environ.get(name, '').strip()
    return int(value) if value.isdigit() else default
