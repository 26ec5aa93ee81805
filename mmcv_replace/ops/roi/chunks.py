"""RoIs in groups of similar size, and maps in groups of channels: little memory at a time."""
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ...utils.errors import UsageError
from ...utils.trace import is_exported, is_traced
from ..parts import parts
from ..precision import wide_type

# Samples of a RoI beyond the largest of its group: at most twice as many in all (1.4 by 1.4).
SPREAD = 0.7
FEWEST = 2 ** 16  # elements that a group may always have


class Chunk(NamedTuple):
    """Some RoIs, by a slice or their numbers, and the rows and columns of samples they need."""

    rois: slice | Tensor
    rows: int
    columns: int

    def take(self, x: Tensor) -> Tensor:
        """The entries of x: [K, ...] for these RoIs."""
        if isinstance(self.rois, slice):
            return x[self.rois]
        return x.index_select(0, self.rois)

    def put(self, x: Tensor, channels: slice, rows: Tensor) -> Tensor:
        """x: [K, C, P, Q] with rows [k P Q, channels] in the entries for these RoIs, in place."""
        values = rows.view(-1, x.shape[2] * x.shape[3], rows.shape[1]).transpose(1, 2)
        if is_exported():  # all, at once; an ONNX graph may lose what is written in place
            return values.reshape(x.shape)
        place = x[:, channels].flatten(2)
        if isinstance(self.rois, slice):
            place[self.rois] = values
        else:
            place.index_copy_(0, self.rois, values)
        return x


def most_elements(*shapes: tuple[int, ...]) -> int:
    """Elements of an index that a group may have: some bytes for each element of the maps."""
    return max(FEWEST, sum(torch.Size(shape).numel() for shape in shapes) // 128)


def equal_chunks(count: int, rows: int, columns: int, cost: int, limit: int) -> list[Chunk]:
    """Groups of `count` RoIs that all need the same samples, each of `cost` elements."""
    if is_traced():
        return [Chunk(slice(None), rows, columns)]
    return [Chunk(place, rows, columns) for place in parts(count, cost, limit)]


def sorted_chunks(sizes: Tensor, cost: Callable[[int, int], int], limit: int,
                  user: str) -> list[Chunk]:
    """Groups of RoIs by their numbers of rows and columns of samples.

    sizes: [K, 2]; cost(rows, columns): elements that a RoI of a group needs. The host waits for the
    sizes, once. Raises UsageError in an export, which cannot depend on them; `user` says whose
    option that is.
    """
    # As float32, which holds them exactly: some devices sort whole numbers on a slow processor.
    order = sizes.amax(1).float().argsort(descending=True)
    counts = sizes_on_host(sizes.index_select(0, order), user)
    if not counts:
        return []
    return [Chunk(order[start:stop], rows, columns)
            for start, stop, rows, columns in _similar(counts, cost, limit)]


def sizes_on_host(sizes: Tensor, user: str) -> list:
    """Whole numbers that say how much there is to do, for which the host waits.

    Raises UsageError in an export, which cannot depend on them; `user` says whose option that is.
    """
    if torch.jit.is_tracing() or (torch.compiler.is_compiling()
                                  and not torch.compiler.is_dynamo_compiling()):
        raise UsageError(f'{user} depends on the sizes of the RoIs, which an exported graph cannot')
    return sizes.int().tolist()


def _similar(counts: list[list[int]], cost: Callable[[int, int], int],
             limit: int) -> Iterator[tuple[int, int, int, int]]:
    """Ranges of RoIs, sorted by their larger number, with the rows and columns of each range."""
    start, (rows, columns) = 0, counts[0]
    for place, (own_rows, own_columns) in enumerate(counts):
        both = max(rows, own_rows), max(columns, own_columns)
        if place > start and (max(own_rows, own_columns) < SPREAD * max(both)
                              or (place + 1 - start) * cost(*both) > limit):
            yield start, place, rows, columns
            start, both = place, (own_rows, own_columns)
        rows, columns = both
    yield start, len(counts), rows, columns


def group_width(channels: int, groups: int = 8) -> int:
    """Channels that are worked on at a time."""
    return channels if is_traced() else max(16, -(-channels // groups))


def channel_groups(channels: int, groups: int = 8) -> list[slice]:
    """Groups of channels, so that only a part of a map is copied at a time."""
    width = group_width(channels, groups)
    return [slice(start, min(start + width, channels)) for start in range(0, channels, width)]


class MapSum:
    """Sum of maps [N, C, H, W] that come as tables of their pixels, some channels at a time."""

    def __init__(self, like: Tensor, shape: tuple[int, ...], tables: int) -> None:
        # Sums of several tables are taken in float32 at least.
        wide = wide_type(like.dtype)
        self.total = like.new_empty(shape, dtype=wide if tables > 1 else like.dtype)
        self.started = [False] * shape[1]

    def add(self, table: Tensor, channels: slice) -> None:
        """Add a table [N H W, channels]."""
        _, _, height, width = self.total.shape
        maps = table.view(-1, height, width, table.shape[1]).permute(0, 3, 1, 2)
        if self.started[channels.start]:
            self.total[:, channels] += maps
        else:
            self.total[:, channels] = maps
            self.started[channels.start] = True
