"""Progress bars for long loops, in one process or several."""
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TextIO
from weakref import WeakSet

from .errors import UserError, add_note
from .suggest import short

_SECONDS_BETWEEN_LINES = 30  # for output to a file, where each update is a line of its own

_open: WeakSet['ProgressBar'] = WeakSet()

Tasks = Sequence[Any] | tuple[Iterable[Any], int]


class ProgressBar:
    """A tqdm bar that is updated explicitly; a `task_num` of 0 means an unknown total."""

    def __init__(self, task_num: int = 0, bar_width: int = 50, start: bool = True,
                 file: TextIO | None = None) -> None:
        self.task_num = task_num
        self.bar_width = bar_width
        self.completed = 0
        self._file = file
        self._bar: Any = None
        if start:
            self.start()

    def start(self) -> None:
        """Show the bar."""
        from tqdm import tqdm
        file = self._file or sys.stderr
        self._bar = tqdm(total=self.task_num or None, file=file,
                         ncols=self.bar_width + 50, dynamic_ncols=False,
                         mininterval=0.1 if file.isatty() else _SECONDS_BETWEEN_LINES)
        _open.add(self)

    def update(self, num_tasks: int = 1) -> None:
        """Add finished tasks; the bar closes after the last one."""
        self.completed += num_tasks
        self._bar.update(num_tasks)
        if self.completed == self.task_num:
            self.close()

    def close(self) -> None:
        """Stop updating the bar, which stays on the screen."""
        self._bar.close()
        _open.discard(self)


def close_bars() -> None:
    """Close all open bars, so that the next output begins on a new line."""
    for bar in list(_open):
        bar.close()


def track_iter_progress(tasks: Tasks, bar_width: int = 50,
                        file: TextIO | None = None) -> Iterator[Any]:
    """Yield the tasks and show the progress."""
    iterable, total = _with_total(tasks)
    bar = ProgressBar(total, bar_width, file=file)
    try:
        for task in iterable:
            yield task
            bar.update()
    finally:
        bar.close()


def track_progress(func: Callable[..., Any], tasks: Tasks, bar_width: int = 50,
                   file: TextIO | None = None, **kwargs: Any) -> list[Any]:
    """Call `func(task, **kwargs)` for each task and return the results in order.

    `tasks`: a sequence, or a pair (iterable, length). A note in an error names the task.
    """
    run = partial(_run_named, partial(func, **kwargs))
    return [run(task) for task in track_iter_progress(tasks, bar_width, file)]


def track_parallel_progress(func: Callable[[Any], Any], tasks: Tasks, nproc: int,
                            initializer: Callable[..., None] | None = None,
                            initargs: tuple = (), bar_width: int = 50, chunksize: int = 1,
                            file: TextIO | None = None) -> list[Any]:
    """Like `track_progress`, in `nproc` processes; the results keep the order of the tasks.

    Raises UserError if a process dies, for example for lack of memory.
    """
    from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
    iterable, total = _with_total(tasks)
    with ProcessPoolExecutor(nproc, initializer=_start_worker,
                             initargs=(initializer, initargs)) as pool:
        results = pool.map(partial(_run_named, func), iterable, chunksize=chunksize)
        try:
            return list(track_iter_progress((results, total), bar_width, file))
        except BrokenProcessPool as error:
            inner = getattr(func, 'func', func)  # of a partial
            raise UserError(
                f'a worker process of {getattr(inner, "__name__", inner)} died, often for want of '
                f'memory: use fewer processes than {nproc} (this machine has {os.cpu_count()} '
                'cores); or over a damaged file') from error
        finally:
            pool.shutdown(cancel_futures=True)


def _start_worker(initializer: Callable[..., None] | None, initargs: tuple) -> None:
    """Ignore Ctrl-C, which the main process handles, and call `initializer`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if initializer is not None:
        initializer(*initargs)


def _run_named(func: Callable[[Any], Any], task: Any) -> Any:
    try:
        return func(task)
    except Exception as error:
        add_note(error, f'while processing {short(task, 200)}')
        raise


def _with_total(tasks: Tasks) -> tuple[Iterable[Any], int]:
    if isinstance(tasks, tuple) and len(tasks) == 2 and isinstance(tasks[1], int) \
            and isinstance(tasks[0], Iterable):
        return tasks
    return tasks, len(tasks)
