"""A stopwatch."""
import time

from .logging import print_log

_by_id: dict[str, 'Timer'] = {}


class TimerError(RuntimeError):
    """A timer that was read before its start."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class Timer:
    """Measures seconds since its start; as a context manager it prints them on exit.

    `print_tmpl`: the text that is printed, with a place for the seconds; by default '{:.3f}'.
    """

    def __init__(self, start: bool = True, print_tmpl: str | None = None) -> None:
        self.print_tmpl = print_tmpl or '{:.3f}'
        self._start: float | None = None
        self._last: float | None = None
        if start:
            self.start()

    @property
    def is_running(self) -> bool:
        """Whether the timer was started."""
        return self._start is not None

    def start(self) -> None:
        """Start the timer unless it is running; in any case restart `since_last_check`."""
        if self._start is None:
            self._start = time.perf_counter()
        self._last = time.perf_counter()

    def since_start(self) -> float:
        """Seconds since the start."""
        self.since_last_check()
        return self._last - self._start

    def since_last_check(self) -> float:
        """Seconds since the start or the last call of a `since_` method."""
        if self._start is None:
            raise TimerError('the timer was not started')
        before, self._last = self._last, time.perf_counter()
        return self._last - before

    def __enter__(self) -> 'Timer':
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        print_log(self.print_tmpl.format(self.since_last_check()))
        self._start = None


def check_time(timer_id: str) -> float:
    """Seconds since the last call with the same id; 0 at the first one."""
    if timer_id in _by_id:
        return _by_id[timer_id].since_last_check()
    _by_id[timer_id] = Timer()
    return 0
