"""Ctrl-C in a command: one line and exit code 130, even while modules are being imported."""
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CODE = 128 + signal.SIGINT  # as shells report a process that the signal ended
FOLDERS = ('tools', 'convert_datasets')  # where the commands are


def end_interrupted(prefix: str = '') -> int:
    """Report the interrupt and return the exit code; another Ctrl-C ends the process at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    report_end(f'{prefix}interrupted')
    return CODE


def report_end(text: str) -> None:
    """Write a line to the terminal, in which a progress bar may have left the cursor."""
    sys.stderr.write(f'\n{text}\n')
    sys.stderr.flush()


class Terminated(SystemExit):
    """A signal that ends a process, within `cleaning_up_when_terminated`."""


@contextmanager
def cleaning_up_when_terminated() -> Iterator[None]:
    """Have signals that end the process end the block like an exception.

    `kill`, timeouts and clusters send SIGTERM, a terminal that is closed SIGHUP. By themselves they
    end the process at once, and what the block has half written stays behind. A handler of somebody
    else is kept, such as that of `nohup`.
    """
    main = threading.current_thread() is threading.main_thread()
    ours = [number for number in (signal.SIGTERM, signal.SIGHUP)
            if main and signal.getsignal(number) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _leave(number: int, frame: types.FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # another one ends the process at once
    raise Terminated(128 + number)


def quiet_interrupts() -> None:
    """Have an interrupt of the imports that follow end this process without a traceback.

    Only in the project's own commands; a user's script keeps Python's behaviour.
    """
    main = getattr(sys.modules.get('__main__'), '__file__', None)
    if main is not None and Path(main).resolve().parent.name in FOLDERS:
        sys.excepthook = _without_traceback


def _without_traceback(kind: type[BaseException], error: BaseException,
                       traceback: types.TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    os._exit(end_interrupted())


quiet_interrupts()
