"""Finds the process for which a distributed job is waiting."""
import os
import socket
import time

import torch.distributed as dist

from ..base_runner import BaseRunner
from ..dist_utils import get_dist_info
from ..hook import HOOKS, Hook

KEY = 'mmseg_rank_watch'
GRACE = 2.0  # seconds within which all processes notice a failure


@HOOKS.register_module()
class RankWatchHook(Hook):
    """Each process notes in the job's key-value store which iteration it begins.

    If a collective fails or times out, `describe_ranks` reads there which process is behind.
    """

    def before_run(self, runner: BaseRunner) -> None:
        note_iteration(runner.iter + 1)

    before_train_iter = before_run


def note_iteration(number: int) -> None:
    """Write to the job's store which iteration this process begins; 0 before the first one."""
    _note('iteration', f'{number} {socket.gethostname()} {os.getpid()}')


def _note(name: str, text: str) -> None:
    rank, world_size = get_dist_info()
    if world_size > 1:
        dist.distributed_c10d._get_default_store().set(f'{KEY}/{rank}/{name}', text)


def describe_ranks() -> str:
    """A line for each process with its iteration, host and process id, after a failed collective.

    Every process that notices the failure marks itself; the others, which are silent, come first.
    Empty if nothing was noted or the store is gone.
    """
    lines = []
    try:
        _note('noticed', 'yes')
        time.sleep(GRACE)
        store = dist.distributed_c10d._get_default_store()
        for rank in range(dist.get_world_size()):
            if store.check([f'{KEY}/{rank}/iteration']):
                noticed = store.check([f'{KEY}/{rank}/noticed'])
                iteration, host, process = store.get(f'{KEY}/{rank}/iteration').decode().split()
                state = 'waited for the others' if noticed else 'silent'
                lines.append((noticed, int(iteration), f'rank {rank}: iteration {iteration}, '
                              f'{state} (process {process} on {host})'))
    except (dist.DistError, RuntimeError):
        return ''
    return '\n'.join(line for *_, line in sorted(lines))
