"""Processes that train together: joining a process group, and exchanging values in it."""
import datetime
import functools
import gc
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..device import DEFAULT_BACKEND, KINDS, DeviceKind, kind_of, resolve_device, set_device
from ..parallel.allreduce import allreduce_grads, allreduce_params
from ..utils.errors import ConfigError, LostPeerError
from ..utils.rank import get_dist_info
from .clusters import ClusterError, launcher_of, torch_variables
from .group_timeout import group_timeout

__all__ = ['adopt_launcher', 'allreduce_grads', 'allreduce_params', 'any_rank', 'collective_device',
           'from_first_rank', 'get_dist_info', 'host_group', 'init_dist', 'is_node_leader',
           'leave_dist', 'master_only', 'max_over_ranks', 'mean_over_ranks', 'peer_timeout',
           'recognise_launcher', 'send_norm_statistics']

T = TypeVar('T')

_NEEDED = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT')

_group_options: dict[str, Any] = {}  # of init_process_group, for groups that are made later


def init_dist(launcher: str, backend: str | None = DEFAULT_BACKEND,
              device: torch.device | None = None, port: int | None = None,
              **kwargs: Any) -> None:
    """Join the process group of the job that `launcher` ('pytorch', 'slurm' or 'mpi') started.

    `device` becomes the current device of this process; by default the one with the index
    LOCAL_RANK of the backend's kind. `backend`: by default that of the device, which also replaces
    the backend of another kind of device, so that one config works on every machine. `port`: of
    the first process, in place of MASTER_PORT. Further arguments are those of
    `torch.distributed.init_process_group`; `timeout` may be a number of seconds, see
    `group_timeout`. Raises LostPeerError if the processes do not find each other.
    """
    adopt_launcher(launcher)
    if port is not None:
        os.environ['MASTER_PORT'] = str(port)
    backend = _usable_backend(None if backend is DEFAULT_BACKEND else backend, device)
    kind = _kind_of_backend(backend)
    if device is None and kind is not None:
        device = resolve_device(kind.type)
    if device is not None:
        set_device(device)
    if isinstance(kwargs.get('timeout'), int | float):
        kwargs['timeout'] = datetime.timedelta(seconds=kwargs['timeout'])
    _group_options.clear()
    _group_options.update({key: kwargs[key] for key in ('timeout',) if key in kwargs})
    # Groups on the host use the configured time-out.
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
    """Set torch's variables RANK, LOCAL_RANK ... to what `launcher` says about this process.

    Besides the launchers of `init_dist`, 'node' is accepted: a scheduler that starts one process
    on each node. Raises ConfigError if that launcher did not start this process.
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
    """The launcher of this process: 'pytorch', 'slurm', 'mpi', 'node', or 'none' for a single one.

    Raises ConfigError for one process where several are expected, and for contradictions.
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
    """After a restart by torchrun, the store under a prefix of its own.

    torchrun keeps the store, and addresses of the ended processes in it would be taken for new.
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
    usable = kind_of(device or resolve_device('auto')).backend
    if backend:
        logging.getLogger('mmseg').warning('backend %r is not for the device in use here: taking '
                                           '%r', backend, usable)
    return usable


def collective_device() -> torch.device:
    """Device on which tensors must be for a collective of the process group."""
    kind = _kind_of_backend(dist.get_backend())
    return torch.device('cpu') if kind is None else torch.device(kind.type)


def host_group() -> dist.ProcessGroup:
    """A group of all processes for exchanges over the host, which do not involve the devices.

    Every process has to make its first call at the same point of the program.
    """
    return _make_host_group(dist.group.WORLD)


@functools.cache
def _make_host_group(world: dist.ProcessGroup) -> dist.ProcessGroup:
    return dist.new_group(backend=kind_of('cpu').backend, **_group_options)


def peer_timeout() -> datetime.timedelta:
    """Time-out after which processes give up waiting for each other."""
    return _group_options.get('timeout') or dist.constants.default_pg_timeout


def leave_dist() -> None:
    """Leave the process group that `init_dist` joined, if there is one.

    A group's threads live as long as an object refers to it, such as a DDP model in a reference
    cycle, and a thread that outlives the interpreter aborts the process: hence the collection.
    """
    if dist.is_initialized():
        _make_host_group.cache_clear()
        gc.collect()
        dist.destroy_process_group()


def from_first_rank(value: T) -> T:
    """Broadcast: returns the value of the first process. Every process has to call it."""
    if get_dist_info()[1] == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0, group=host_group())
    return box[0]


def send_norm_statistics(model: nn.Module) -> None:
    """Give every process the batch norms' running mean and variance of the first one.

    Every process of a job has to call it; outside of one it does nothing.
    """
    if not dist.is_initialized():
        return
    for module in model.modules():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            dist.broadcast(module.running_mean, 0)
            dist.broadcast(module.running_var, 0)


def any_rank(condition: bool) -> bool:
    """Whether the condition is true in any process. Every process has to call it."""
    return bool(max_over_ranks(int(condition)))


def max_over_ranks(number: int) -> int:
    """Maximum of a number over all processes, which all have to call it."""
    most = torch.tensor(number)
    if get_dist_info()[1] > 1:
        dist.all_reduce(most, dist.ReduceOp.MAX, host_group())
    return int(most)


def mean_over_ranks(values: Sequence[float]) -> list[float]:
    """Mean of each value over all processes, which all have to call it."""
    world_size = get_dist_info()[1]
    if world_size == 1 or not values:
        return list(values)
    total = torch.tensor(values, dtype=torch.float32, device=collective_device())
    dist.all_reduce(total)
    return (total / world_size).tolist()


def is_node_leader() -> bool:
    """Whether this is the process that does work needed once on each machine."""
    return get_dist_info()[1] == 1 or os.environ.get('LOCAL_RANK', '0') == '0'


def master_only(func: Callable[..., T]) -> Callable[..., T | None]:
    """Decorator: on all ranks but the first the function does nothing and returns None."""

    @functools.wraps(func)
    def on_master(*args: Any, **kwargs: Any) -> T | None:
        return func(*args, **kwargs) if get_dist_info()[0] == 0 else None

    return on_master
