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
    """SIGTERM within `cleaning_up_when_terminated`."""


@contextmanager
def cleaning_up_when_terminated() -> Iterator[None]:
    """Have SIGTERM, as `kill`, timeouts and clusters send it, end the block like an exception.

    By itself it ends the process at once, and what the block has half written stays behind. A
    handler of somebody else is kept.
    """
    if (threading.current_thread() is not threading.main_thread()
            or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL):
        yield
        return
    signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _leave(number: int, frame: types.FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # another one ends the process at once
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
