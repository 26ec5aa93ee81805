"""Errors of users on their way from a worker to the process that loads, as they were raised.

By itself torch sends their text alone, within that of a traceback, which hides what is to be done.
"""
import pickle
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mmcv_replace.utils.errors import UserError


class WorkerTraceback(Exception):  # noqa: N818  it is the cause of an error, and none itself
    """The traceback of an error in the worker, as text."""

    def __str__(self) -> str:
        return f'\n{self.args[0]}'


class Failure:
    """What a worker gives in place of a sample, and then of its batch."""

    def __init__(self, error: UserError) -> None:
        self.error = error
        self.traceback = ''.join(traceback.format_exception(error))

    @classmethod
    def of(cls, error: UserError) -> 'Failure | None':
        """None for an error that cannot be sent."""
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # a class of a user may raise anything
            return None
        return cls(error)


def collate_or_fail(collate: Callable[[Sequence[Any]], Any], samples: Sequence[Any]) -> Any:
    """A batch of the samples, or the first failure among them."""
    failed = next((sample for sample in samples if isinstance(sample, Failure)), None)
    return collate(samples) if failed is None else failed


def raising(batches: Iterator[Any]) -> Iterator[Any]:
    """The batches, up to a failure, whose error is raised."""
    for batch in batches:
        if isinstance(batch, Failure):
            raise batch.error from WorkerTraceback(batch.traceback)
        yield batch
