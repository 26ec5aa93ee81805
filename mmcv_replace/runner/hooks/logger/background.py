"""Calls that may wait or fail, made in a thread of their own."""
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from ....utils import warn_once

PAUSES = (5.0, 30.0)  # seconds before a call that failed is made again
WAITING = 1000  # calls
QUIET = 5.0  # seconds before the end of a run says for what it waits
# A package may also raise SystemExit where it would ask something.
FAILURES = (Exception, SystemExit)


class BackgroundCalls:
    """Makes calls one after another, for which nobody has to wait.

    A call that fails is made again after each of PAUSES, then left out; while `most` calls wait,
    further ones are left out too. The first loss of each kind is a warning with the `name` of the
    caller, `close` tells how many there were.
    """

    def __init__(self, name: str, logger: logging.Logger, most: int = WAITING) -> None:
        self.name = name
        self.logger = logger
        self.lost = 0
        self._told: set[type[BaseException]] = set()
        self._calls: queue.Queue[tuple[Callable[..., Any], tuple] | None] = queue.Queue(most)
        self._closing = threading.Event()
        self._abandoned = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        """Have `function(*args)` called when all calls before it have been made."""
        try:
            self._calls.put_nowait((function, args))
        except queue.Full:
            self.lost += 1
            warn_once(f'{self.name} does not keep up: {self._calls.maxsize} entries wait, further '
                      'ones are left out until it does. The training goes on', self.logger)

    def close(self, timeout: float) -> bool:
        """Make the calls that wait, and return whether that is done after `timeout` seconds.

        Those that are not made by then are given up.
        """
        end = time.monotonic() + timeout
        self._closing.set()
        try:
            self._calls.put(None, timeout=timeout)
        except queue.Full:
            pass
        else:
            self._thread.join(min(QUIET, timeout))
            if self._thread.is_alive() and timeout > QUIET:
                self.logger.info('%s: entries that wait to be sent, for at most %g s: %d',
                                 self.name, timeout, max(1, self._calls.qsize()))
            self._thread.join(max(0.0, end - time.monotonic()))
        done = not self._thread.is_alive()
        self._abandoned = True
        left = 0 if done else max(1, self._calls.qsize())  # one is being made, one is the end
        if self.lost + left:
            why = '' if done else f', as it did not answer for {timeout:g} s'
            self.logger.warning('%s: entries that were not sent%s: %d', self.name, why,
                                self.lost + left)
        return done

    def _work(self) -> None:
        while not self._abandoned:
            entry = self._calls.get()
            if entry is None:
                return
            self._make(*entry)

    def _tell(self, error: BaseException) -> None:
        """Once for each type: texts may name another file or address each time."""
        if type(error) not in self._told:
            self._told.add(type(error))
            self.logger.warning(
                '%s failed (%s: %s). The training goes on; each entry is tried %d times, then left '
                'out', self.name, type(error).__name__, error, len(PAUSES) + 1)

    def _make(self, function: Callable[..., Any], args: tuple) -> None:
        for pause in (*PAUSES, None):
            try:
                function(*args)
            except FAILURES as error:  # of whatever kind: a package must not end a training
                self._tell(error)
            else:
                return
            if pause is None or (self._closing.wait(pause) and self._abandoned):
                break
        self.lost += 1
