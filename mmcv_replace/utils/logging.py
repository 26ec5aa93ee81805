"""Loggers with a common format; in a distributed job only rank 0 logs, apart from errors."""
import logging
import sys
from pathlib import Path
from typing import Any, TextIO

from .errors import ArgumentError
from .rank import is_main_process

FORMAT = '%(asctime)s - %(name)s - %(levelname)s - %(message)s'
ROOT = 'mmseg'

# Programs enter the names of loggers that they have set up themselves, which then stay as they are.
logger_initialized: dict[str, Any] = {}
_warned: set[tuple[str, str]] = set()


class _Console(logging.StreamHandler):
    """Writes to the current sys.stderr, so that a later redirection takes effect."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr


class _LogFile(logging.FileHandler):
    """Reports once on the console if the file cannot be written, for example on a full disk."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not getattr(self, 'said', False):
            self.said = True
            sys.stderr.write(f'{self.baseFilename} cannot be written and will lack lines: '
                             f'{error}\n')


def _first_rank_or_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR or is_main_process()


def get_logger(name: str, log_file: str | Path | None = None, log_level: int = logging.INFO,
               file_mode: str = 'w') -> logging.Logger:
    """The logger `name`, which writes to the console and, on rank 0, to `log_file`.

    A child of a logger from this function (`mmseg.x` of `mmseg`) writes through its parent. Other
    ranks log errors only. `file_mode`: 'w' begins a new file, 'a' adds to one that exists. A logger
    in `logger_initialized`, and its children, are returned as they are.
    """
    logger = logging.getLogger(name)
    if any(f'{name}.'.startswith(f'{own}.') for own in logger_initialized):
        return logger
    if not _reaches_console(logger):
        logger.setLevel(log_level)
        _add_handler(logger, _Console(), log_level)
        # A library may have set up the root logger, which would write a second copy of each line.
        for handler in logging.getLogger().handlers:
            if type(handler) is logging.StreamHandler:
                handler.addFilter(lambda record: not f'{record.name}.'.startswith(f'{name}.'))
    if log_file is not None and is_main_process():
        path = Path(log_file).absolute()
        if not any(getattr(handler, 'baseFilename', None) == str(path)
                   for handler in logger.handlers):
            path.parent.mkdir(parents=True, exist_ok=True)
            _add_handler(logger, _LogFile(path, file_mode, encoding='utf-8'), log_level)
    return logger


def _reaches_console(logger: logging.Logger | None) -> bool:
    """Whether the logger or a parent of it has a handler of `get_logger`."""
    while logger is not None:
        if any(isinstance(handler, _Console) for handler in logger.handlers):
            return True
        logger = logger.parent
    return False


def _add_handler(logger: logging.Logger, handler: logging.Handler, log_level: int) -> None:
    handler.setLevel(log_level)
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(_first_rank_or_error)
    logger.addHandler(handler)


def print_log(msg: object, logger: logging.Logger | str | None = None,
              level: int = logging.INFO) -> None:
    """Log a message; `logger` is a logger, a name, None for stdout, or 'silent' for nowhere."""
    if logger is None:
        if is_main_process():
            sys.stdout.write(f'{msg}\n')
    elif isinstance(logger, logging.Logger):
        logger.log(level, msg)
    elif not isinstance(logger, str):
        raise ArgumentError(f"logger is a Logger, a name, None or 'silent', not {logger!r}")
    elif logger != 'silent':
        get_logger(logger).log(level, msg)


def warn_once(message: str, logger: logging.Logger | None = None) -> None:
    """Log a warning, but only the first time that its logger gets this message."""
    logger = logger or logging.getLogger(ROOT)
    if (logger.name, message) not in _warned:
        _warned.add((logger.name, message))
        logger.warning(message)
