"""Work of some processes for which the others wait, however long it takes.

A collective would end them after the time-out of the process group. Here they ask the job's store,
in which a process at work leaves signs of life.
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

BEAT = 5.0  # seconds between two signs of life, of which some fit into any time-out
BEATS = 5
POLL = (0.02, 1.0)  # seconds between two looks, growing from the first to the second
GRACE = 10.0  # seconds that a process which is about to end leaves the others to read of it

_calls = itertools.count()  # the same in all processes


@dataclass(frozen=True)
class Outcome:
    """What came of the work of a process; `error` is known in that process alone.

    The value reaches the others as JSON.
    """

    value: Any = None
    failure: str | None = None
    error: Exception | None = None


def work_and_wait(work: Callable[[], Any] | None) -> list[Outcome]:
    """Do this process's work, if it has some, and wait for that of the others.

    Every process has to call it; the outcomes, by rank, are the same in all of them. Raises
    DistError where a process gives no sign of life for the time-out of the process group.
    """
    rank, world_size = get_dist_info()
    if world_size == 1:
        return [_do(work)]
    store = dist.PrefixStore(f'mmseg_work/{next(_calls)}',
                             dist.distributed_c10d._get_default_store())
    with _signs_of_life(store, rank):
        own = _do(work)
    store.set(f'done/{rank}', json.dumps((own.value, own.failure)))
    outcomes = [own if other == rank else _await(store, other) for other in range(world_size)]
    if any(outcome.failure is not None for outcome in outcomes):
        _let_all_read(store, world_size)
    return outcomes


def first_rank_does(work: Callable[[], T], what: str, kind: type[UserError] = UserError) -> T:
    """What `work` returns in the first process, on all of them; where it fails, all end.

    The first process raises its error itself, the others one of `kind` that says so of `what`.
    """
    [outcome, *_] = work_and_wait(work if get_dist_info()[0] == 0 else None)
    if outcome.error is not None:
        raise outcome.error
    if outcome.failure is not None:
        raise kind(f'{what} of rank 0 failed: {outcome.failure}')
    return outcome.value


def _do(work: Callable[[], Any] | None) -> Outcome:
    try:
        return Outcome(None if work is None else work())
    except Exception as error:  # whatever it is, the others must hear of it
        return Outcome(failure=f'{type(error).__name__}: {error}', error=error)


@contextmanager
def _signs_of_life(store: dist.Store, rank: int) -> Iterator[None]:
    """Count in the store while the block runs."""
    over = threading.Event()
    pause = min(BEAT, peer_timeout().total_seconds() / BEATS)

    def count() -> None:
        try:
            for number in itertools.count():
                store.set(f'alive/{rank}', str(number))
                if over.wait(pause):
                    return
        except (dist.DistError, RuntimeError):
            return  # the store is gone, which the process itself will notice

    thread = threading.Thread(target=count, name='signs-of-life', daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _await(store: dist.Store, rank: int) -> Outcome:
    """The outcome of another process, once it is there."""
    pause, most = POLL
    limit = peer_timeout().total_seconds()
    sign, since = b'', time.monotonic()
    while not store.check([f'done/{rank}']):
        latest = store.get(f'alive/{rank}') if store.check([f'alive/{rank}']) else b''
        if latest != sign:
            sign, since = latest, time.monotonic()
        if time.monotonic() - since > limit:
            raise dist.DistError(f'rank {rank} gave no sign of life for {limit:.0f} s')
        time.sleep(pause)
        pause = min(2 * pause, most)
    value, failure = json.loads(store.get(f'done/{rank}'))
    return Outcome(value, failure)


def _let_all_read(store: dist.Store, world_size: int) -> None:
    """Wait until all know of a failure: the store may end with the first process."""
    deadline = time.monotonic() + GRACE
    readers = store.add('read', 1)
    while readers < world_size and time.monotonic() < deadline:
        time.sleep(POLL[0])
        readers = store.add('read', 0)
