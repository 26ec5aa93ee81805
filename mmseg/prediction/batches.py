"""Images of one shape, which go through a model together."""
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import torch

from mmcv_replace.parallel import DataContainer

Item = TypeVar('Item')

# An image waits for others of its shape while this many times a batch go by.
PATIENCE = 4


def batches_of_one_key(items: Iterable[Item], key: Callable[[Item], Hashable],
                       size: int) -> Iterator[list[tuple[int, Item]]]:
    """Batches of up to `size` items with equal keys, each with the item's place in the input.

    No item waits until more than PATIENCE * size later ones have come.
    """
    waiting: dict[Hashable, list[tuple[int, Item]]] = {}  # the one with the oldest item first
    for place, item in enumerate(items):
        found = key(item)
        group = waiting.setdefault(found, [])
        group.append((place, item))
        if len(group) == size:
            yield waiting.pop(found)
        oldest = next(iter(waiting), None)
        if oldest is not None and place - waiting[oldest][0][0] >= PATIENCE * size:
            yield waiting.pop(oldest)
    yield from waiting.values()


def in_order(batches: Iterable[Sequence[tuple[int, Item]]]) -> Iterator[Item]:
    """The items of batches by their places, which are 0, 1, 2 and so on in any order."""
    held: dict[int, Item] = {}
    following = 0
    for batch in batches:
        held.update(batch)
        while following in held:
            yield held.pop(following)
            following += 1


def shape_of(value: Any) -> Hashable:
    """Shapes and types of all tensors in a sample: equal for samples that can be one batch."""
    if isinstance(value, DataContainer):
        return shape_of(value.data) if value.stack else None
    if isinstance(value, torch.Tensor):
        return value.dtype, tuple(value.shape)
    if isinstance(value, dict):
        return tuple((key, shape_of(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(shape_of, value))
    return None
