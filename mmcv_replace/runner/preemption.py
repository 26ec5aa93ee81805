"""Requests to stop (signals), and how all processes of a job stop together."""
import os
import signal
import threading
import time
import types
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from ..utils.errors import ConfigError
from .dist_utils import get_dist_info, host_group, max_over_ranks

# Sent to a whole job by schedulers and launchers, from the keyboard, before a time limit.
SIGNALS = ('SIGTERM', 'SIGINT', 'SIGUSR1')
ECHO = 0.1  # seconds within which a repeated signal, passed on by a launcher, is the same request
VOTES = 4  # items of an evaluation between two votes of the processes

T = TypeVar('T')


class EvaluationCut(Exception):
    """An evaluation is cancelled, since the process is to stop now."""


class StopRequest:
    """Records the first of some signals, instead of the process being ended by it.

    A second SIGINT ends the process at once. During an evaluation a second signal of any kind
    requests to cancel it, and only a SIGINT after that ends the process.
    """

    def __init__(self, names: Sequence[str] = SIGNALS) -> None:
        unknown = [name for name in names if not hasattr(signal, name)]
        if unknown:
            raise ConfigError(f'preemption.signals: {unknown[0]!r} is not a signal of this system; '
                              f'the default is {SIGNALS!r}')
        self.received: str | None = None
        self.cut = False  # whether an evaluation has been cancelled
        self._urgent = False  # whether it is to be cancelled
        self._noted = 0.0  # time of the first signal
        self._work: tuple[int, int] | None = None  # items of an evaluation: done, total
        self._signals = [getattr(signal, name) for name in names]
        self._former: dict[signal.Signals, object] = {}

    def listen(self) -> None:
        """Install the signal handlers, unless they are."""
        if self._former:
            return
        self.received = None
        self.cut = self._urgent = False
        for number in self._signals:
            try:
                self._former[number] = signal.signal(number, self._note)
            except ValueError:  # only the main thread may
                return

    def stop_listening(self) -> None:
        """Restore the former signal handlers."""
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()

    def _note(self, number: int, frame: types.FrameType | None) -> None:
        name = signal.Signals(number).name
        first, now = self.received is None, time.monotonic()
        if first:
            self.received, self._noted = name, now
        elif self._work is not None and now - self._noted > ECHO:
            self._urgent = True
        self._say(name)
        if number == signal.SIGINT and (self._work is None or self._urgent):
            signal.signal(number, signal.SIG_DFL)

    def _say(self, name: str) -> None:
        if self._work is None:
            text = f'{name}: the training stops after this iteration\n'
        elif self._urgent:
            text = f'\n{name}: the evaluation is broken off\n'
        else:
            done, total = self._work
            text = f'\n{name}: finishing the evaluation {done} of {total}; again to stop now\n'
        # Logging is not safe in a signal handler, which may interrupt it.
        with suppress(OSError):  # the reader may have been ended by the same signal
            os.write(2, text.encode())

    def watched(self, items: Generator[T], total: int) -> Iterator[T]:
        """Yield the items of an evaluation, of which this process has `total`.

        Raises EvaluationCut, in all processes after the same vote, if one is to stop now.
        """
        self._work = 0, total
        if self.received is not None:
            self._say(self.received)
            self._handle_interrupt(self._note)  # the first one reset it to its default
        vote = StopVote()
        alone = get_dist_info()[1] == 1
        votes = 0 if alone else max_over_ranks(total) // VOTES
        done = cast = 0
        try:
            for item in items:
                yield item
                done += 1
                self._work = done, total
                if alone and self._urgent:
                    self._cut()
                if done % VOTES == 0 and cast < votes:
                    cast += 1
                    self._vote(vote)
            for _ in range(cast, votes):
                self._vote(vote)
            if vote.result():
                self._cut()
        finally:
            self._work = None
            if self.received == 'SIGINT':
                self._handle_interrupt(signal.SIG_DFL)
            items.close()  # restores the training mode

    def _vote(self, vote: 'StopVote') -> None:
        if vote.result():
            self._cut()
        vote.cast(self._urgent)

    def _cut(self) -> None:
        self.cut = True
        raise EvaluationCut

    def _handle_interrupt(self, handler: Any) -> None:
        if signal.SIGINT in self._former:
            signal.signal(signal.SIGINT, handler)


class StopVote:
    """Makes all processes stop after the same iteration if one of them is asked to.

    After each iteration every process starts an asynchronous vote, and reads the result of the vote
    of the iteration before: it waits for the others' previous step at most, and no process can stop
    while another continues.
    """

    def __init__(self) -> None:
        self._pending: tuple[dist.Work, torch.Tensor] | None = None

    def result(self) -> bool:
        """Whether any process had been asked to stop when it last called `cast`."""
        if self._pending is None:
            return False
        (work, asked), self._pending = self._pending, None
        if work is not None:
            work.wait()
        return bool(asked)

    def cast(self, asked: bool) -> None:
        """Vote: whether this process has been asked to stop. Call `result` first."""
        vote = torch.tensor(int(asked))
        work = None
        if get_dist_info()[1] > 1:
            work = dist.all_reduce(vote, dist.ReduceOp.MAX, host_group(), async_op=True)
        self._pending = work, vote


def finish_speaking() -> None:
    """Ignore SIGTERM of the launcher while a failing process writes its error message."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


@contextmanager
def holding_back_requests() -> Iterator[None]:
    """Block SIGTERM and SIGINT within the block.

    Processes started inside inherit that until they have their handlers (`outlive_requests`).
    """
    if not hasattr(signal, 'pthread_sigmask'):
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def outlive_requests() -> None:
    """For worker processes that load data: ignore requests to stop, which the whole job receives.

    The last step of the training may still need their batches. Only a SIGTERM of the parent ends
    them. Threads that the worker has already must have been made under `holding_back_requests`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):  # it returns the sender; not on every system
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_obey, args=(os.getppid(),), daemon=True).start()


def _obey(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
