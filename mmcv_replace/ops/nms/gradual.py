"""Soft non-maximum suppression on the host, in NumPy."""
from collections.abc import Callable

import numpy as np

# From the IoU with a selected box: the places of those whose scores change, and their factors.
Decay = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def gradual(corners: np.ndarray, scores: np.ndarray, decay: Decay, min_score: float,
            offset: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of boxes in the order in which they are selected, and their scores at that time.

    corners: [N, 4], scores: [N], both in float32 or float64. The box with the best score is
    selected, and `decay` gives factors for the scores of those that are left, until none is. Those
    below `min_score` are dropped after each selection. Of equal scores the one whose box stands
    first is the best. A selected or dropped box leaves its place to the first or last of the
    others, as in mmcv's loop, which has to move them: the order of equal scores depends on it.
    Cost: some 15 operations for each selected box and each that is left, memory N.
    """
    x1, y1, x2, y2 = corners.T
    area = (x2 - x1 + offset) * (y2 - y1 + offset)
    table = np.stack([x1, y1, x2, y2, area, scores])
    places = np.arange(len(corners))
    selected = []
    begin, end = 0, len(corners)
    with np.errstate(all='ignore'):  # areas of 0 and infinite sides
        while begin < end:
            best = begin + _first_best(table[5, begin:end])
            box = table[:, best].tolist()
            selected.append((places[best], box[5]))
            table[:, best], places[best] = table[:, begin], places[begin]
            begin += 1
            rest = table[:, begin:end]
            near, factor = decay(_overlap(box, rest, offset))
            dropped = near
            if len(near):
                rest[5, near] = changed = rest[5, near] * factor
                dropped = near[changed < min_score]
            if begin == 1:  # the best box stays, whatever its score
                dropped = np.flatnonzero(rest[5] < min_score)
            if len(dropped):
                holes, moved = _fill(dropped, end - begin)
                rest[:, holes] = rest[:, moved]
                places[begin + holes] = places[begin + moved]
                end -= len(dropped)
    order = np.array([place for place, _ in selected], dtype=np.int64)
    return order, np.array([score for _, score in selected], dtype=scores.dtype)


def _first_best(scores: np.ndarray) -> int:
    """Place of the highest score; NaN is no score to compare with, but counts if it is the first.
    """
    place = scores.argmax()
    if scores[place] != scores[place]:
        place = 0 if scores[0] != scores[0] else np.nanargmax(scores)
    return place


def _overlap(box: list[float], rest: np.ndarray, offset: int) -> np.ndarray:
    """IoU of a box with others, in the type of these."""
    x1, y1, x2, y2, area, _ = box
    width = np.minimum(rest[2], x2)
    width -= np.maximum(rest[0], x1)
    height = np.minimum(rest[3], y2)
    height -= np.maximum(rest[1], y1)
    if offset:
        width += offset
        height += offset
    common = np.maximum(width, 0, out=width)
    common *= np.maximum(height, 0, out=height)
    union = np.add(rest[4], area, out=height)
    union -= common
    return np.divide(common, union, out=common)


def _fill(dropped: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The dropped of the first places, as many as stay of `count`, and what fills them from behind.
    """
    stay = count - len(dropped)
    stays_behind = np.ones(len(dropped), bool)
    stays_behind[dropped[dropped >= stay] - stay] = False
    return dropped[dropped < stay], stay + np.flatnonzero(stays_behind)[::-1]


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
