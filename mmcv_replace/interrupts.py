"""Ctrl-C in a command: one line and exit code 130, even while modules are being imported."""
import os
import signal
import sys
import types
from pathlib import Path

CODE = 128 + signal.SIGINT  # as shells report a process that the signal ended
FOLDERS = ('tools', 'convert_datasets')  # where the commands are


def end_interrupted(prefix: str = '') -> int:
    """Report the interrupt and return the exit code; another Ctrl-C ends the process at once."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # A progress bar may have left the cursor in its line.
    sys.stderr.write(f'\n{prefix}interrupted\n')
    sys.stderr.flush()
    return CODE


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
