"""Functions that need a package or a program say so when they are called without it."""
import functools
import shutil
import sys
from collections.abc import Callable, Iterable
from typing import Any

from .optional import has_package

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_MESSAGE = ('Prerequisites "{}" are required in method "{}" but not found, '
            'please install them first.')


def check_prerequisites(prerequisites: str | Iterable[str], checker: Callable[[str], bool],
                        msg_tmpl: str = _MESSAGE) -> Decorator:
    """A decorator: before each call, `checker` tells of each prerequisite whether it is there.

    Those that lack are written to stdout by `msg_tmpl`, with the name of the function, and the call
    raises RuntimeError.
    """
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            names = [prerequisites] if isinstance(prerequisites, str) else prerequisites
            missing = [name for name in names if not checker(name)]
            if missing:
                message = msg_tmpl.format(', '.join(missing), function.__name__)
                sys.stdout.write(f'{message}\n')
                raise RuntimeError(message)
            return function(*args, **kwargs)

        return call

    return decorate


def requires_package(prerequisites: str | Iterable[str]) -> Decorator:
    """A decorator: the function needs Python packages."""
    return check_prerequisites(prerequisites, has_package)


def requires_executable(prerequisites: str | Iterable[str]) -> Decorator:
    """A decorator: the function needs programs in the PATH."""
    return check_prerequisites(prerequisites, lambda name: shutil.which(name) is not None)
