"""A stopwatch."""
import time

from .logging import print_log


class Timer:
    """Measures seconds since its start; as a context manager it prints them on exit."""

    def __init__(self, start: bool = True, print_tmpl: str = '{:.3f}') -> None:
        self.print_tmpl = print_tmpl
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
            raise RuntimeError('the timer was not started')
        before, self._last = self._last, time.perf_counter()
        return self._last - before

    def __enter__(self) -> 'Timer':
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        print_log(self.print_tmpl.format(self.since_last_check()))
        self._start = None
