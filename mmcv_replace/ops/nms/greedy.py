"""Non-maximum suppression on the host, in NumPy."""
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch

from .overlap import common, overlap

BLOCKS = (256, 512, 1024)  # sizes of blocks of boxes; the last holds for all that follow
FEW = 256  # boxes up to which all pairs are compared
DENSE = 2 ** 16  # pairs of boxes of a block and others up to which all are compared
LIMIT = 2 ** 17  # pairs that are compared at once
# Of a threshold, for the choice of pairs to compare: far more than float32 can err.
SLACK = 1 - 1e-4


def greedy(corners: np.ndarray, threshold: float, offset: int, most: int) -> np.ndarray:
    """Places of the boxes that no better one overlaps, at most `most` of them, in order.

    corners: [N, 4] in float32 or float64, the best box first. A box goes if its IoU with one that
    stays is above the threshold; the arithmetic is that of a plain loop in the type of the corners,
    rounding included. Many boxes are decided on in blocks, after which those that one suppresses
    are gone; only pairs are compared whose bounds along one axis allow such an IoU.
    Cost: N log N and some 10 operations for each of these pairs, memory N.
    """
    test = _Test(corners.dtype.type(threshold), offset)
    with np.errstate(all='ignore'):  # areas of 0 and infinite sides
        if len(corners) <= FEW:
            return np.flatnonzero(_decide(_read(corners, offset), test))[:most]
        rest, places = _read(corners, offset), np.arange(len(corners))
        kept, sizes = [places[:0]], iter(BLOCKS)
        while len(places) and most > 0:
            size = next(sizes, BLOCKS[-1])
            stays = _decide(rest[:, :size], test)
            kept.append(places[:size][stays][:most])
            most -= len(kept[-1])
            block, rest, places = rest[:, :size].compress(stays, 1), rest[:, size:], places[size:]
            live = ~_suppressed(block, rest, test)
            rest, places = rest.compress(live, 1), places[live]
    return np.concatenate(kept)


def _read(corners: np.ndarray, offset: int) -> np.ndarray:
    """A table [5, N]: bounds along one axis (low, high), along the other, and areas.

    The first axis is that along which the boxes are spread most, in units of their sides.
    """
    x1, y1, x2, y2 = corners.T
    width, height = x2 - x1 + offset, y2 - y1 + offset
    area = width * height
    table = [x1, x2, y1, y2, area]
    if len(corners) <= FEW:  # no axis is used
        return np.stack(table)
    spread = [np.ptp(low) * np.abs(side).sum()
              for low, side in ((x1, height), (y1, width))]
    return np.stack(table if spread[0] >= spread[1] else [y1, y2, x1, x2, area])


class _Test:
    """Whether the IoU of two boxes, of tables as `_read` makes, is above a threshold."""

    def __init__(self, threshold: np.floating, offset: int) -> None:
        self.threshold, self.offset = threshold, offset
        self.of_neighbours = threshold >= 0  # boxes that are apart are not above it

    def above(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """The answer for boxes that broadcast."""
        iou = overlap(torch.from_numpy(one), torch.from_numpy(other), self.offset)
        return iou.numpy() > self.threshold

    def meet(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Whether boxes have a common part along the second axis."""
        sides = torch.from_numpy(one[2:4]), torch.from_numpy(other[2:4])
        return common(*sides[0], *sides[1], self.offset).numpy() > 0

    def partners(self, boxes: np.ndarray, lows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each box the first of the ascending lower bounds of its partners, and their number.

        They are not below its own: those pairs are found with the roles exchanged. The common part
        of two boxes with an IoU is at least that part of the side of either.
        """
        if not self.of_neighbours:
            return np.zeros(boxes.shape[1], int), np.full(boxes.shape[1], len(lows))
        low, high = boxes[:2].astype(np.float64)
        rounding = (np.abs(low) + np.abs(high) + 1) * np.finfo(lows.dtype).eps
        reach = (high - low + self.offset) * (1 - self.threshold * SLACK) + rounding
        start = np.searchsorted(lows, boxes[0])
        stop = np.searchsorted(lows, (low + reach).astype(lows.dtype), 'right')
        return start, np.maximum(stop - start, 0)


def _decide(block: np.ndarray, test: _Test) -> np.ndarray:
    """Which boxes of a block stay.

    A box stays if none before it that stays suppresses it. Repeated for all boxes at once, that is
    right for at least one box more each time, and ends when it changes nothing.
    """
    count = block.shape[1]
    if count <= FEW:
        i, j = np.divmod(np.flatnonzero(test.above(block[:, :, None], block[:, None])), count or 1)
    else:
        i, j = (np.concatenate(x) for x in zip(*_pairs(block, block, test), strict=True))
    other = np.flatnonzero(i != j)
    first, second = np.minimum(i, j)[other], np.maximum(i, j)[other]
    stays = np.ones(count, bool)
    while True:
        found = np.ones(count, bool)
        found[second[stays[first]]] = False
        if (found == stays).all():
            return found
        stays = found


def _suppressed(block: np.ndarray, rest: np.ndarray, test: _Test) -> np.ndarray:
    """Which boxes of the rest a box of the block suppresses."""
    if block.shape[1] * rest.shape[1] <= DENSE:
        return test.above(block[:, :, None], rest[:, None]).any(0)
    gone = np.zeros(rest.shape[1], bool)
    for _, j in _pairs(block, rest, test):
        gone[j] = True
    for j, _ in _pairs(rest, block, test):
        gone[j] = True
    return gone


def _pairs(one: np.ndarray, other: np.ndarray, test: _Test
           ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places (i, j) of pairs that pass the test, where j does not begin before i.

    Yields at least once.
    """
    order = np.argsort(other[0])
    other = other.take(order, 1)
    start, counts = test.partners(one, other[0])
    ends = np.cumsum(counts)
    bounds = np.searchsorted(ends, np.arange(LIMIT, counts.sum(), LIMIT), 'right')
    for begin, end in pairwise((0, *bounds, len(counts))):
        number = counts[begin:end]
        i = np.repeat(np.arange(begin, end), number)
        # The first partner of each box, less the place where its partners stand in j.
        shift = start[begin:end] - (np.cumsum(number) - number)
        j = np.arange(len(i)) + np.repeat(shift, number)
        if test.of_neighbours:  # most are apart along the other axis
            near = np.flatnonzero(test.meet(one.take(i, 1), other.take(j, 1)))
            i, j = i[near], j[near]
        above = np.flatnonzero(test.above(one.take(i, 1), other.take(j, 1)))
        yield i[above], order[j[above]]
