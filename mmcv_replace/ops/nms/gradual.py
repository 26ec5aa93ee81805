"""Soft non-maximum suppression on the host, in NumPy."""
from collections.abc import Callable
from heapq import heapify, heappop, heappush, heapreplace
from itertools import pairwise

import numpy as np
import torch

from .overlap import overlap

# From the IoU of pairs: the places of those whose scores change, and their factors.
Decay = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
PAIRS = 2 ** 16  # that are compared at once


def gradual(corners: np.ndarray, scores: np.ndarray, decay: Decay, min_score: float,
            offset: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of boxes in the order in which they are selected, and their scores at that time.

    corners: [N, 4], scores: [N], both in float32 or float64. The box with the best score is
    selected, and `decay` gives factors for the scores of those that are left, until none is. Those
    below `min_score` are dropped after each selection. Of equal scores the one in the first seat
    is the best: see _Seats.
    Cost: N log N, and some 15 operations for each selected box and each that is left; memory N.
    """
    selected = []
    with np.errstate(all='ignore'):  # areas of 0 and infinite sides
        seats, factors = _Seats(scores, min_score), _Factors(corners, decay, offset)
        while seats.begin < seats.end:
            selected.append(seats.take_best())
            row = factors.of(selected[-1][0], seats)
            if row is not None:
                seats.lower(*row)
            if seats.changed:
                seats.settle()
    order, new = zip(*selected, strict=True) if selected else ((), ())
    return np.array(order, dtype=np.int64), np.array(new, dtype=scores.dtype)


class _Seats:
    """Boxes that are left, in the seats from `begin` to `end`, and their scores.

    A selected box leaves its seat to the first of the others and a dropped one to the last, as in
    mmcv's loop, which has to move them: the order of equal scores depends on it.

    The heap has (-score, seat, box) of boxes as they were: a score falls and a seat moves on, and
    that is found out when a box comes up. What makes a box better is pushed at once.
    """

    def __init__(self, scores: np.ndarray, min_score: float) -> None:
        self.scores, self.least = scores.copy(), min_score
        self.view = memoryview(self.scores)  # rounds what is assigned
        self.begin, self.end = 0, len(scores)
        self.boxes, self.seat = list(range(self.end)), list(range(self.end))  # -1: is gone
        entries = zip((-scores).tolist(), self.seat, self.boxes, strict=True)
        self.heap = [entry for entry in entries if entry[0] == entry[0]]  # no number: never best
        heapify(self.heap)
        # The best box stays, whatever its score.
        self.changed = np.flatnonzero(scores < min_score).tolist()

    def take_best(self) -> tuple[int, float]:
        """Select a box; NaN is no score to compare with, but counts if it is the first."""
        seat, view = self.seat, self.view
        first = box = self.boxes[self.begin]
        score = view[first]
        if score == score:
            box, score = self._pop()
        self.boxes[seat[box]], seat[first], seat[box] = first, seat[box], -1
        view[box] = np.inf  # stays what it is
        self.begin += 1
        return box, score

    def _pop(self) -> tuple[int, float]:
        """The best box that has a score, and this."""
        heap, seat, view = self.heap, self.seat, self.view
        while True:
            bound, place, box = heap[0]
            score, now = view[box], seat[box]
            if now == place and score == -bound:
                heappop(heap)
                return box, score
            if now < 0 or score != score:
                heappop(heap)
            else:
                heapreplace(heap, (-score, now, box))

    def lower(self, boxes: np.ndarray, factors: np.ndarray) -> None:
        """Multiply scores, and note which boxes are not merely a little worse then."""
        old = self.scores[boxes]
        self.scores[boxes] = new = old * factors
        little = new >= self.least
        little &= new <= old
        self.changed += boxes[~little].tolist()

    def settle(self) -> None:
        """Drop the changed boxes whose scores are too low, and push those whose scores rose."""
        holes = []
        for box in self.changed:
            if self.seat[box] >= 0 and self.view[box] < self.least:
                holes.append(self.seat[box])
                self.seat[box], self.view[box] = -1, np.inf
            else:
                self._push(box)
        self.changed.clear()
        last, self.end = self.end, self.end - len(holes)
        for hole in sorted(holes):
            if hole >= self.end:
                break
            last -= 1
            while self.seat[self.boxes[last]] < 0:
                last -= 1
            box = self.boxes[hole] = self.boxes[last]
            self.seat[box] = hole
            self._push(box)

    def _push(self, box: int) -> None:
        score = self.view[box]
        if self.seat[box] >= 0 and score == score:
            heappush(self.heap, (-score, self.seat[box], box))


class _Factors:
    """Factors for the scores of boxes when one is selected, found for some of the best at once."""

    def __init__(self, corners: np.ndarray, decay: Decay, offset: int) -> None:
        x1, y1, x2, y2 = corners.T
        self.offset, self.decay = offset, decay
        area = (x2 - x1 + offset) * (y2 - y1 + offset)
        self.table = torch.from_numpy(np.stack([x1, x2, y1, y2, area]))
        self.rows = {}

    def of(self, box: int, seats: _Seats) -> tuple[np.ndarray, np.ndarray] | None:
        """Boxes, some of which may be gone, and their factors; None where there are none."""
        if box not in self.rows:
            self._find(box, seats)
        start, stop = self.rows[box]
        return (self.boxes[start:stop], self.factors[start:stop]) if stop > start else None

    def _find(self, box: int, seats: _Seats) -> None:
        rest = np.array(seats.boxes[seats.begin:seats.end], dtype=np.intp)
        size = len(rest)
        best = np.arange(size)
        if size * size > PAIRS:
            best = np.argpartition(-seats.scores[rest], PAIRS // size)[:PAIRS // size]
        block = np.append(rest[best], box)
        one, other = (self.table.index_select(1, torch.from_numpy(x)) for x in (block, rest))
        iou = overlap(one.unsqueeze(2), other.unsqueeze(1), self.offset).view(-1).numpy()
        iou[np.arange(len(best)) * size + best] = 0  # with itself
        near, self.factors = self.decay(iou)
        self.boxes = rest[near % size] if size else rest
        ends = np.searchsorted(near, np.arange(len(block) + 1) * size).tolist()
        self.rows = dict(zip(block.tolist(), pairwise(ends), strict=True))


def naive(threshold: float) -> Decay:
    """Scores become 0 from the threshold on."""
    def decay(overlap: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        near = np.flatnonzero(overlap >= overlap.dtype.type(threshold))
        return near, np.zeros_like(overlap, shape=len(near))

    return decay


def linear(threshold: float) -> Decay:
    """Scores are multiplied by 1 - IoU from the threshold on."""
    def decay(overlap: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        near = np.flatnonzero(overlap >= overlap.dtype.type(threshold))
        return near, 1 - overlap[near]

    return decay


def gaussian(sigma: float) -> Decay:
    """Scores are multiplied by exp(-IoU ** 2 / sigma)."""
    def decay(overlap: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        near = np.flatnonzero(overlap)
        exponent = -overlap[near] ** 2 / overlap.dtype.type(sigma)
        # NumPy's exp of float32 errs by more than a rounding.
        return near, np.exp(exponent.astype(np.float64)).astype(overlap.dtype)

    return decay
