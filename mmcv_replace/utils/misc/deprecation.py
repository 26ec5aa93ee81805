"""Old names of arguments, and the warning about them."""
import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ArgumentError


class OldNameWarning(UserWarning, DeprecationWarning):
    """Use of an old name, which still works: mmcv warned by either type, depending on its age."""


def warn_of_old_name(message: str, depth: int = 1) -> None:
    """Warn about a line of code: that which called the caller of this, `depth` calls above it."""
    warnings.warn(message, OldNameWarning, stacklevel=depth + 2)


def deprecated_api_warning(name_dict: Mapping[str, str], cls_name: str | None = None,
                           ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: accept arguments by old names, `name_dict`: old -> new, with a warning.

    `cls_name` is the class of a method, for the warning. A call with both names of an argument
    raises ArgumentError.
    """
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        label = f'{cls_name}.{function.__name__}' if cls_name else function.__name__

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for old, new in name_dict.items():
                if old not in kwargs:
                    continue
                if new in kwargs:
                    raise ArgumentError(f'{label} got {new!r} twice, also by its old name {old!r}: '
                                        'leave out the latter')
                warn_of_old_name(f'{label}: the argument {old!r} is {new!r} now')
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate
