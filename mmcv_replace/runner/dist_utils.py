"""Processes that train together: how they find each other, and who does what only one may do."""
import datetime
import functools
import gc
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from ..device import KINDS, DeviceKind, default_backend, resolve_device, set_device
from ..utils.errors import ConfigError, LostPeerError
from ..utils.rank import get_dist_info
from .clusters import ClusterError, launcher_of, torch_variables
from .group_timeout import group_timeout

__all__ = ['adopt_launcher', 'any_rank', 'collective_device', 'from_first_rank', 'get_dist_info',
           'host_group', 'init_dist', 'is_node_leader', 'leave_dist', 'master_only',
           'mean_over_ranks', 'peer_timeout', 'recognise_launcher']

T = TypeVar('T')

_NEEDED = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT')

_group_options: dict[str, Any] = {}  # of the process group, for those that are made later


def init_dist(launcher: str, backend: str | None = None, device: torch.device | None = None,
              **kwargs: Any) -> None:
    """Join the process group that `launcher` ('pytorch', 'slurm' or 'mpi') started us for.

    `device` becomes the current one of this process; by default that of the backend with the index
    LOCAL_RANK. `backend` is that of the device by default; one of another device gives way to it,
    so that one config serves every machine. Further arguments are those of
    `torch.distributed.init_process_group`; `timeout` may be a number of seconds; see
    `group_timeout`. Raises LostPeerError where the processes do not meet.
    """
    adopt_launcher(launcher)
    backend = _usable_backend(backend, device)
    kind = _kind_of_backend(backend)
    if device is None and kind is not None:
        device = resolve_device(kind.type)
    if device is not None:
        set_device(device)
    if isinstance(kwargs.get('timeout'), int | float):
        kwargs['timeout'] = datetime.timedelta(seconds=kwargs['timeout'])
    _group_options.clear()
    _group_options.update({key: kwargs[key] for key in ('timeout',) if key in kwargs})
    # Groups on the host keep the time that was asked for.
    timeout = group_timeout(kind, kwargs.get('timeout'))
    if timeout is not None:
        kwargs['timeout'] = timeout
    try:
        dist.init_process_group(backend, **_store_of_restart(), **kwargs)
    except (dist.DistNetworkError, dist.DistStoreError) as error:
        sign = {'slurm': 'SLURM_PROCID', 'mpi': 'OMPI_COMM_WORLD_RANK or PMI_RANK'}.get(
            launcher, 'RANK')
        told = ' '.join(f'{name}={os.environ[name]}' for name in _NEEDED)
        raise LostPeerError(
            f'launcher {launcher!r}: the processes of this job did not meet '
            f'({str(error).splitlines()[0]}; {told}). Look whether all of them run, reach that '
            f'address and find its port free; one on its own is started without {sign} in its '
            'environment') from error


def adopt_launcher(launcher: str) -> None:
    """Put what `launcher` says of this process into the variables of torch: RANK, LOCAL_RANK...

    Besides those of `init_dist`, 'node' is accepted: a scheduler that started this one process on
    each node. Raises ConfigError where that launcher did not start this process.
    """
    if launcher not in ('pytorch', 'slurm', 'mpi', 'node'):
        raise ConfigError(f"launcher {launcher!r} is unknown: choose 'pytorch' (torchrun), 'slurm' "
                          "or 'mpi'; 'none' trains in one process and needs no init_dist")
    if launcher != 'pytorch':
        try:
            os.environ.update(torch_variables(launcher, os.environ))
        except ClusterError as error:
            raise ConfigError(str(error)) from error
    _check_environment(launcher)


def recognise_launcher() -> str:
    """What started this process: 'pytorch', 'slurm', 'mpi', 'node', or 'none' for one on its own.

    Raises ConfigError for one process where a scheduler asks for several, and for variables that
    contradict each other.
    """
    try:
        return launcher_of(os.environ)
    except ClusterError as error:
        raise ConfigError(str(error)) from error


def _check_environment(launcher: str) -> None:
    missing = [name for name in _NEEDED if name not in os.environ]
    if missing:
        remedy = {'slurm': 'set MASTER_ADDR to the first host of the job',
                  'mpi': 'set MASTER_ADDR to the host of rank 0'}.get(
            launcher, 'start with torchrun --nproc_per_node=N tools/train.py CONFIG --launcher '
            'pytorch, or set them')
        raise ConfigError(f'launcher {launcher!r}: {", ".join(missing)} not set in the '
                          f'environment: {remedy}')
    for name in _NEEDED[:3]:
        if not os.environ[name].isdigit():
            raise ConfigError(f'launcher {launcher!r}: {name}={os.environ[name]!r} is not the '
                              'number of one process. A scheduler that starts one command a node '
                              'lists its devices there: on each node, bash tools/dist_train.sh '
                              'CONFIG NPROC')


def _store_of_restart() -> dict[str, Any]:
    """Where the processes meet that torchrun started again: not where the ended ones met.

    torchrun keeps the store, and addresses that these left in it would be taken for new ones.
    """
    start = os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')
    if start == '0' or os.environ.get('TORCHELASTIC_USE_AGENT_STORE') != 'True':
        return {}
    store = dist.TCPStore(os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT']),
                          is_master=False, **_group_options)
    return {'store': dist.PrefixStore(f'start_{start}', store), 'rank': int(os.environ['RANK']),
            'world_size': int(os.environ['WORLD_SIZE'])}


def _kind_of_backend(backend: str) -> DeviceKind | None:
    return next((kind for kind in KINDS if kind.backend == backend), None)


def _usable_backend(backend: str | None, device: torch.device | None) -> str:
    kind = _kind_of_backend(backend) if backend else None
    if backend and (kind is None or (kind.available() if device is None
                                     else kind.type == device.type)):
        return backend
    usable = default_backend(device)
    if backend:
        logging.getLogger('mmseg').warning('backend %r is not for the device in use here: taking '
                                           '%r', backend, usable)
    return usable


def collective_device() -> torch.device:
    """Where a tensor must be for the process group to reduce it."""
    kind = _kind_of_backend(dist.get_backend())
    return torch.device('cpu') if kind is None else torch.device(kind.type)


def host_group() -> dist.ProcessGroup:
    """All processes again, for exchanges that leave the devices and their queues alone.

    Every process has to make the first call at the same point of the program.
    """
    return _make_host_group(dist.group.WORLD)


@functools.cache
def _make_host_group(world: dist.ProcessGroup) -> dist.ProcessGroup:
    return dist.new_group(backend=default_backend(torch.device('cpu')), **_group_options)


def peer_timeout() -> datetime.timedelta:
    """How long the processes wait for each other."""
    return _group_options.get('timeout') or dist.constants.default_pg_timeout


def leave_dist() -> None:
    """Leave the process group that `init_dist` joined; does nothing without one.

    The threads of a group live as long as something refers to it, such as a model for several
    processes that is part of a cycle; a thread that outlives the interpreter aborts the process.
    """
    if dist.is_initialized():
        _make_host_group.cache_clear()
        gc.collect()
        dist.destroy_process_group()


def from_first_rank(value: T) -> T:
    """What the first process passes to this; every process has to call it."""
    if get_dist_info()[1] == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0, group=host_group())
    return box[0]


def any_rank(condition: bool) -> bool:
    """Whether a condition holds in any process; every process has to call it."""
    vote = torch.tensor(int(condition))
    if get_dist_info()[1] > 1:
        dist.all_reduce(vote, dist.ReduceOp.MAX, host_group())
    return bool(vote)


def mean_over_ranks(values: Sequence[float]) -> list[float]:
    """Mean of each value over all processes; each must call it with as many values."""
    world_size = get_dist_info()[1]
    if world_size == 1 or not values:
        return list(values)
    total = torch.tensor(values, dtype=torch.float32, device=collective_device())
    dist.all_reduce(total)
    return (total / world_size).tolist()


def is_node_leader() -> bool:
    """Whether this process does the work that is needed once for each machine."""
    return get_dist_info()[1] == 1 or os.environ.get('LOCAL_RANK', '0') == '0'


def master_only(func: Callable[..., T]) -> Callable[..., T | None]:
    """Make a function do nothing, and return None, on all ranks but the first."""

    @functools.wraps(func)
    def on_master(*args: Any, **kwargs: Any) -> T | None:
        return func(*args, **kwargs) if get_dist_info()[0] == 0 else None

    return on_master
