"""Progress bars for long loops, in one process or several."""
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO
from weakref import WeakSet

from .errors import ArgumentError, UserError, add_note
from .suggest import short
from .timer import Timer

if TYPE_CHECKING:
    from concurrent.futures import Executor

_SECONDS_BETWEEN_LINES = 30  # for output to a file, where each update is a line of its own

_open: WeakSet['ProgressBar'] = WeakSet()

Tasks = Sequence[Any] | tuple[Iterable[Any], int]


class _CurrentStderr:
    """Writes to what sys.stderr is at the time, so that a later redirection takes effect."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()

    def fileno(self) -> int:
        return sys.stderr.fileno()


STDERR = _CurrentStderr()


class ProgressBar:
    """A tqdm bar that is updated explicitly; a `task_num` of 0 means an unknown total.

    `unit`: what a task is called in the speed. `title` stands before the bar.
    """

    def __init__(self, task_num: int = 0, bar_width: int = 50, start: bool = True,
                 file: TextIO = STDERR, *, unit: str = 'it', title: str | None = None) -> None:
        self.task_num = task_num
        self.bar_width = bar_width
        self.completed = 0
        self.file = file
        self.unit = unit
        self.title = title
        self._bar: Any = None
        if start:
            self.start()

    @property
    def terminal_width(self) -> int:
        """Columns of the terminal."""
        return shutil.get_terminal_size().columns

    def start(self) -> None:
        """Show the bar and start its `timer`."""
        from tqdm import tqdm
        self._bar = tqdm(total=self.task_num or None, file=self.file, unit=self.unit,
                         desc=self.title, ncols=self.bar_width + 50, dynamic_ncols=False,
                         mininterval=0.1 if self.file.isatty() else _SECONDS_BETWEEN_LINES)
        self.timer = Timer()
        _open.add(self)

    def update(self, num_tasks: int = 1) -> None:
        """Add finished tasks; the bar closes after the last one."""
        if num_tasks <= 0:
            raise ArgumentError(f'num_tasks is the number of finished tasks, not {num_tasks}')
        self.completed += num_tasks
        self._bar.update(num_tasks)
        if self.completed == self.task_num:
            self.close()

    def leave_out(self, num_tasks: int = 1) -> None:
        """Count tasks no longer that will not be done; a bar for no others vanishes."""
        if not self.task_num:  # which is not known
            return
        self.task_num -= num_tasks
        self._bar.total = self.task_num
        self._bar.leave = self.task_num > 0
        if self.completed >= self.task_num:
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
                        file: TextIO = STDERR) -> Iterator[Any]:
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
                   file: TextIO = STDERR, **kwargs: Any) -> list[Any]:
    """Call `func(task, **kwargs)` for each task and return the results in order.

    `tasks`: a sequence, or a pair (iterable, length). A note in an error names the task.
    """
    run = partial(_run_named, partial(func, **kwargs))
    return [run(task) for task in track_iter_progress(tasks, bar_width, file)]


def track_parallel_progress(func: Callable[[Any], Any], tasks: Tasks, nproc: int,
                            initializer: Callable[..., None] | None = None,
                            initargs: tuple | None = None, bar_width: int = 50, chunksize: int = 1,
                            skip_first: bool = False, keep_order: bool = True,
                            file: TextIO = STDERR) -> list[Any]:
    """Like `track_progress`, in `nproc` processes.

    `initializer(*initargs)` is called in each process; `chunksize` tasks are sent at once. The bar
    begins behind the first chunk of each process with `skip_first`, so that its speed is not that
    of the start. The results are in the order of the tasks, or, without `keep_order`, that in which
    they were done. Raises UserError if a process dies, for example for lack of memory.
    """
    from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
    if not isinstance(initargs, tuple | None):
        raise ArgumentError(f'initargs is a tuple, not {initargs!r}')
    iterable, total = _with_total(tasks)
    with ProcessPoolExecutor(nproc, initializer=_start_worker,
                             initargs=(initializer, initargs or ())) as pool:
        results = _results(pool, partial(_run_named, func), iterable, chunksize, keep_order)
        try:
            first = list(islice(results, nproc * chunksize if skip_first else 0))
            return first + list(
                track_iter_progress((results, total - len(first)), bar_width, file))
        except BrokenProcessPool as error:
            inner = getattr(func, 'func', func)  # of a partial
            raise UserError(
                f'a worker process of {getattr(inner, "__name__", inner)} died, often for want of '
                f'memory: use fewer processes than {nproc} (this machine has {os.cpu_count()} '
                'cores); or over a damaged file') from error
        finally:
            pool.shutdown(cancel_futures=True)


def _results(pool: 'Executor', run: Callable[[Any], Any], tasks: Iterable[Any], chunksize: int,
             keep_order: bool) -> Iterator[Any]:
    if keep_order:
        yield from pool.map(run, tasks, chunksize=chunksize)
        return
    from concurrent.futures import as_completed
    tasks = iter(tasks)
    chunks = iter(lambda: list(islice(tasks, chunksize)), [])
    for done in as_completed([pool.submit(_run_all, run, chunk) for chunk in chunks]):
        yield from done.result()


def _run_all(run: Callable[[Any], Any], tasks: list[Any]) -> list[Any]:
    return [run(task) for task in tasks]


def _start_worker(initializer: Callable[..., None] | None, initargs: tuple) -> None:
    """Ignore Ctrl-C, which the main process handles, and call `initializer`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not as the main process, whose stack it shares
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
    if not isinstance(tasks, Iterable):
        raise ArgumentError(f'tasks is a sequence, or a pair (iterable, length), not {tasks!r}')
    return tasks, len(tasks)
