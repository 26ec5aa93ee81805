"""Work in threads ahead of the one that needs it, bounded and in order."""
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import repeat
from typing import Any, TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')

_END = object()


def in_threads(function: Callable[[Item], Result], items: Iterable[Item], threads: int,
               ahead: int) -> Iterator[Result]:
    """`function(item)` of each item in order, up to `ahead` of them computed before they are used.

    With no threads nothing is done ahead, and an item is taken when its result is asked for. An
    error of `function` is raised in the place of its result. Closing the iterator waits for what is
    being computed, and starts no more.
    """
    if threads < 1:
        yield from map(function, items)
        return
    pool = ThreadPoolExecutor(threads)
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def ahead_of(items: Iterable[Item], ahead: int) -> Iterator[Item]:
    """The same items, taken by one thread, up to `ahead` of them before they are used."""
    iterator = iter(items)

    def take(_: Any) -> Any:
        return next(iterator, _END)

    for item in in_threads(take, repeat(None), 1, ahead):
        if item is _END:
            return
        yield item
