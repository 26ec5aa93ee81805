"""Which of the processes of a distributed job this one is."""
import os
from collections.abc import Sequence

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


def get_local_rank() -> int:
    """Rank within the machine, 0 where the launcher did not give each process one.

    The LOCAL_RANK of the Ascend Operator, which starts one command a node, lists its devices.
    """
    return _number('LOCAL_RANK', 0)


def get_local_size() -> int:
    """Processes of the job on this machine, 1 where no launcher tells."""
    one_command = not os.environ.get('LOCAL_RANK', '0').isdigit()
    return 1 if one_command else max(1, _number('LOCAL_WORLD_SIZE', 1))


def rank_prefix() -> str:
    """'rank 3: ' for messages of one of several processes, else nothing."""
    named = os.environ.get('RANK', '').isdigit() and os.environ.get('LOCAL_RANK', '').isdigit()
    return f'rank {os.environ["RANK"]}: ' if named and _number('WORLD_SIZE', 1) > 1 else ''


def get_device_index(count: int, visible: Sequence[str]) -> int:
    """Which of the `count` devices that this process sees is its own, by its local rank.

    A process that sees one device takes it where the launcher shows each its own. `visible` are
    the variables that choose what a process sees. torchrun starts its processes in one
    environment, so that all see the same. slurm shows a task what it was given; fewer devices than
    tasks on the node are shared by them. Elsewhere a variable must name one device.
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
    """', NAME=VALUE' for each of the variables that is set, as an error shows them."""
    return ''.join(f', {name}={os.environ[name]}' for name in names if name in os.environ)


def _number(name: str, default: int) -> int:
    value = os.environ.get(name, '').strip()
    return int(value) if value.isdigit() else default
