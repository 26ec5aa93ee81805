"""Long work of some processes while the others wait for their heartbeat.

A collective would end the waiting processes after the time-out of the process group. Here a process
at work counts up a number in the job's key-value store, and the others watch it.
"""
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch.distributed as dist

from ..utils.errors import UserError
from .dist_utils import get_dist_info, peer_timeout

T = TypeVar('T')

INTERVAL = 5.0  # seconds between two heartbeats,
BEATS = 5  # of which at least this many fit into the time-out
POLL = (0.02, 1.0)  # seconds between two looks, growing from the first to the second
GRACE = 10.0  # seconds that a process which is about to end leaves the others to read the outcome

_calls = itertools.count()  # the same in all processes


@dataclass(frozen=True)
class Outcome:
    """Result of a process's work: a value that JSON can hold, or a failure in words.

    `error`, the exception itself, is known in that process alone.
    """

    value: Any = None
    failure: str | None = None
    error: Exception | None = None


def run_with_heartbeat(work: Callable[[], Any] | None) -> list[Outcome]:
    """Do this process's work (None: it has none), wait for the others, return all outcomes by rank.

    Every process has to call it. Raises DistError if a process shows no heartbeat for as long as
    the time-out of the process group.
    """
    rank, world_size = get_dist_info()
    if world_size == 1:
        return [_do(work)]
    store = dist.PrefixStore(f'mmseg_work/{next(_calls)}',
                             dist.distributed_c10d._get_default_store())
    with _heartbeat(store, rank):
        own = _do(work)
    store.set(f'done/{rank}', json.dumps((own.value, own.failure)))
    outcomes = [own if other == rank else _await(store, other) for other in range(world_size)]
    if any(outcome.failure is not None for outcome in outcomes):
        _let_all_read(store, world_size)
    return outcomes


def run_on_first_rank(work: Callable[[], T], what: str, kind: type[UserError] = UserError) -> T:
    """Do the work in the first process, and return its result, which JSON can hold, in all.

    If it fails, the first process raises its error, and the others one of the class `kind` that
    says so about `what`.
    """
    [outcome, *_] = run_with_heartbeat(work if get_dist_info()[0] == 0 else None)
    if outcome.error is not None:
        raise outcome.error
    if outcome.failure is not None:
        raise kind(f'{what} of rank 0 failed: {outcome.failure}')
    return outcome.value


def _do(work: Callable[[], Any] | None) -> Outcome:
    try:
        return Outcome(None if work is None else work())
    except Exception as error:  # of any class: the others must learn about it
        return Outcome(failure=f'{type(error).__name__}: {error}', error=error)


@contextmanager
def _heartbeat(store: dist.Store, rank: int) -> Iterator[None]:
    """Count in the store while the block runs."""
    over = threading.Event()
    pause = min(INTERVAL, peer_timeout().total_seconds() / BEATS)

    def count() -> None:
        try:
            for number in itertools.count():
                store.set(f'alive/{rank}', str(number))
                if over.wait(pause):
                    return
        except (dist.DistError, RuntimeError):
            return  # the store is gone, which the process itself will notice

    thread = threading.Thread(target=count, name='heartbeat', daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _await(store: dist.Store, rank: int) -> Outcome:
    """The outcome of another process, when it is there."""
    pause, longest = POLL
    limit = peer_timeout().total_seconds()
    beat, since = b'', time.monotonic()
    while not store.check([f'done/{rank}']):
        latest = store.get(f'alive/{rank}') if store.check([f'alive/{rank}']) else b''
        if latest != beat:
            beat, since = latest, time.monotonic()
        if time.monotonic() - since > limit:
            raise dist.DistError(f'rank {rank} gave no sign of life for {limit:.0f} s')
        time.sleep(pause)
        pause = min(2 * pause, longest)
    value, failure = json.loads(store.get(f'done/{rank}'))
    return Outcome(value, failure)


def _let_all_read(store: dist.Store, world_size: int) -> None:
    """Wait until all know about a failure: the store may end with the first process."""
    deadline = time.monotonic() + GRACE
    readers = store.add('read', 1)
    while readers < world_size and time.monotonic() < deadline:
        time.sleep(POLL[0])
        readers = store.add('read', 0)
