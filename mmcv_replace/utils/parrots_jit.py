"""Decorators of another framework, without effect on torch as they are in mmcv."""
from collections.abc import Callable
from typing import Any


def jit(func: Callable[..., Any] | None = None, check_input: Any = None, full_shape: bool = True,
        derivate: bool = False, coderize: bool = False, optimize: bool = False,
        ) -> Callable[..., Any]:
    """The function itself; with options in place of it, a decorator that returns the function."""
    return (lambda function: function) if func is None else func


def skip_no_elena(func: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself."""
    return func
