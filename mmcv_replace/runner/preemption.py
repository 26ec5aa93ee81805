"""Stopping in good order when the machine is wanted back."""
import os
import signal
import threading
import time
import types
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

import torch
import torch.distributed as dist

from ..utils.errors import ConfigError
from .dist_utils import get_dist_info, host_group

# Sent to a whole job: by schedulers and launchers, from the keyboard, ahead of a time limit.
SIGNALS = ('SIGTERM', 'SIGINT', 'SIGUSR1')
ECHO = 0.1  # seconds in which a signal, which a scheduler and a launcher pass on, is the same one
VOTES = 4  # items between two votes of the processes

T = TypeVar('T')


class EvaluationCut(Exception):
    """An evaluation ends early, for the process is to stop now."""


class StopRequest:
    """Takes note of the first of some signals, which then no longer end the process.

    A second SIGINT does, at once. During an evaluation a second signal of any kind asks to break it
    off, and only a SIGINT after that ends the process.
    """

    def __init__(self, names: Sequence[str] = SIGNALS) -> None:
        unknown = [name for name in names if not hasattr(signal, name)]
        if unknown:
            raise ConfigError(f'preemption.signals: {unknown[0]!r} is not a signal of this system; '
                              f'the default is {SIGNALS!r}')
        self.received: str | None = None
        self.cut = False  # an evaluation has been broken off
        self._urgent = False  # and is to be
        self._noted = 0.0  # when the first signal came
        self._work: tuple[int, int] | None = None  # how much of an evaluation is done
        self._signals = [getattr(signal, name) for name in names]
        self._former: dict[signal.Signals, object] = {}

    def listen(self) -> None:
        """Begin to take note, unless that is done."""
        if self._former:
            return
        self.received = None
        self.cut = self._urgent = False
        for number in self._signals:
            try:
                self._former[number] = signal.signal(number, self._note)
            except ValueError:  # a thread beside the main one may not
                return

    def stop_listening(self) -> None:
        """Let the signals do what they did before."""
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
        # Logging is not safe here: the signal may have come while it wrote.
        with suppress(OSError):  # who read it may have ended by the same signal
            os.write(2, text.encode())

    def watched(self, items: Generator[T], total: int) -> Iterator[T]:
        """The items of an evaluation, of which this process has `total`.

        Raises EvaluationCut, in all processes after the same vote, when one was told to stop now.
        """
        self._begin_work(total)
        vote = StopVote()
        alone = get_dist_info()[1] == 1
        votes = 0 if alone else _most_of(total) // VOTES
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
            self._end_work()
            items.close()  # which leaves evaluation mode

    def _vote(self, vote: 'StopVote') -> None:
        if vote.result():
            self._cut()
        vote.cast(self._urgent)

    def _cut(self) -> None:
        self.cut = True
        raise EvaluationCut

    def _begin_work(self, total: int) -> None:
        self._work = 0, total
        if self.received is None:
            return
        self._say(self.received)
        if signal.SIGINT in self._former:  # which ends the process since the first
            signal.signal(signal.SIGINT, self._note)

    def _end_work(self) -> None:
        self._work = None
        if self.received == 'SIGINT' and signal.SIGINT in self._former:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _most_of(number: int) -> int:
    """The largest number that a process has; every process has to call this."""
    most = torch.tensor(number)
    dist.all_reduce(most, dist.ReduceOp.MAX, host_group())
    return int(most)


class StopVote:
    """Makes all processes stop after the same iteration, when one of them is asked to.

    After each iteration every process says, without waiting for the others, whether it was asked,
    and reads what all said after the iteration before: none has to wait for more than the others'
    last step, and none can stop while another goes on.
    """

    def __init__(self) -> None:
        self._pending: tuple[dist.Work, torch.Tensor] | None = None

    def result(self) -> bool:
        """Whether any process was asked to stop by the time of the last `cast`."""
        if self._pending is None:
            return False
        (work, asked), self._pending = self._pending, None
        if work is not None:
            work.wait()
        return bool(asked)

    def cast(self, asked: bool) -> None:
        """Say whether this process was asked to stop; after `result`."""
        vote = torch.tensor(int(asked))
        work = None
        if get_dist_info()[1] > 1:
            work = dist.all_reduce(vote, dist.ReduceOp.MAX, host_group(), async_op=True)
        self._pending = work, vote


def finish_speaking() -> None:
    """Let a process that is about to end with an error say so, while its launcher ends the job."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


@contextmanager
def holding_back_requests() -> Iterator[None]:
    """Have SIGTERM and SIGINT wait until the block ends; processes made inside begin with them
    blocked, so that none ends or complains before it knows what to do with them.
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
    """For processes that load data: go on while the last step of a job that is to stop needs it.

    The signals go to every process of a job. Of the parent, SIGTERM means what it always does.
    Threads that this process already has must have been made with `holding_back_requests`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):  # which tells who sent a signal, and is not everywhere
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_obey, args=(os.getppid(),), daemon=True).start()


def _obey(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
