"""A part of a job (`Place`), and how to read it from a scheduler's variables (`Scheduler`)."""
from collections.abc import Callable
from dataclasses import dataclass

from .variables import ClusterError, Variables

Process = tuple[int, int, int]  # rank, number of processes, rank within the node
TORCH = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK')  # torch's variables for them


@dataclass(frozen=True)
class Place:
    """The part of a job that a process or a shell is."""

    scheduler: str
    nnodes: int = 1
    node_rank: int = 0
    local_size: int | None = None  # processes of this node; None if the scheduler does not tell
    addr: str | None = None  # of the first node
    port: int | None = None
    process: Process | None = None  # None for schedulers that start one command on each node
    rendezvous: tuple[str, ...] = ()  # options of torchrun, if the nodes meet in another way
    elastic: str | None = None  # 'MIN:MAX' nodes


def _unknown(env: Variables) -> None:
    return None


def port_of(job: int) -> int:
    """A port for the number of a job, so that jobs that share a machine differ."""
    return 20000 + job % 10000  # below the range of ports that Linux assigns


def torch_process(env: Variables) -> Process | None:
    """The process by the variables that torchrun sets, whoever has set them."""
    if not env.has(*TORCH):
        return None
    return env.number('RANK'), env.number('WORLD_SIZE', lowest=1), env.number('LOCAL_RANK')


@dataclass(frozen=True)
class Scheduler:
    """A row: how a scheduler is recognised, and how its variables are read.

    `addr` and `port` are for a job without MASTER_ADDR and MASTER_PORT.
    """

    name: str
    signs: str  # pattern of the names of its variables, for messages
    recognised: Callable[[Variables], bool]
    nnodes: Callable[[Variables], int | None] = _unknown
    node_rank: Callable[[Variables], int | None] = _unknown
    local_size: Callable[[Variables], int | None] = _unknown
    addr: Callable[[Variables], str | None] = _unknown
    port: Callable[[Variables], int | None] = _unknown
    process: Callable[[Variables], Process | None] = _unknown
    launcher: str | None = None  # value of --launcher, if it starts every process
    rendezvous: Callable[[Place, Variables], Place] = lambda place, env: place

    def place(self, env: Variables) -> Place:
        """The place that its variables describe; ClusterError, with their values, if impossible."""
        process, local_size = self.process(env), self.local_size(env)
        nnodes, node_rank = self.nnodes(env), self.node_rank(env)
        if process is not None:
            rank, size, local_rank = process
            if rank >= size or local_rank > rank:
                raise self._error(f'rank {rank} of {size} processes, {local_rank} on its node, '
                                  'which cannot be', env)
            if nnodes is None and local_size == 1:
                nnodes, node_rank = size, rank
        nnodes = 1 if nnodes is None else nnodes
        if nnodes > 1 and node_rank is None and process is None:
            raise self._error(f'that there are {nnodes} nodes, and not which of them this is', env)
        if nnodes > 1 and node_rank is not None and node_rank >= nnodes:
            raise self._error(f'node {node_rank} of {nnodes}, counted from 0', env)
        place = Place(self.name, nnodes, node_rank if nnodes > 1 and node_rank else 0, local_size,
                      env.text('MASTER_ADDR') or self.addr(env),
                      env.number('MASTER_PORT', lowest=1) or self.port(env), process)
        return self.rendezvous(place, env)

    def seen(self, env: Variables) -> str:
        """Its variables with their values."""
        return env.listing(self.signs)

    def _error(self, what: str, env: Variables) -> ClusterError:
        return ClusterError(f'{self.name} says {what}: {self.seen(env)}')
