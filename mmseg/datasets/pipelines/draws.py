"""What random steps have drawn for a sample, told to whoever listens.

In training nobody does. The browser of data sets shows it beside each step.
"""
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_listening: list[dict[str, Any]] = []  # of the steps that run now, the innermost last


def tell(**draws: Any) -> None:
    """Say what the running step has drawn, by name: numbers, texts, or lists of these."""
    if _listening:
        _listening[-1].update(draws)


def is_heard() -> bool:
    """Whether anybody listens, for what takes time to find out."""
    return bool(_listening)


@contextmanager
def hearing() -> Iterator[dict[str, Any]]:
    """Collect what the step that runs in this block tells, without that of steps inside of it."""
    draws: dict[str, Any] = {}
    _listening.append(draws)
    try:
        yield draws
    finally:
        _listening.pop()
