"""Count the values of label maps, and pairs of values: fast for uniform areas and for noise alike.

A plain histogram is slow for uniform areas, since each addition to a counter has to wait for the
previous one to the same counter. There, runs of equal pixels are counted instead.
"""
from typing import NamedTuple

import cv2
import numpy as np

# cv2.calcHist counts in float32, which is exact up to this number.
EXACT_COUNT = 2**24
# Mean length of a run above which counting runs is faster than counting pixels.
LONG_RUN = 16


def count_values(labels: np.ndarray) -> np.ndarray:
    """Number of pixels with each value of a uint8 map: int64 [256]."""
    labels = labels.reshape(-1)
    ends = _run_ends(labels)
    if ends is None:
        return _histogram([labels])
    return _sum_by(labels[ends], ends, 256)


def count_pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Number of pixels with each pair of values of two uint8 maps of the same shape.

    Returns int64 [n, 256], row = value of `first`, column = value of `second`, where n is above the
    largest value of `first`.
    """
    first, second = first.reshape(-1), second.reshape(-1)
    ends = _run_ends(first, second)
    if ends is None:
        return _histogram([first, second])
    rows = int(first[ends].max(initial=0)) + 1
    pairs = first[ends].astype(np.intp) * 256 + second[ends]
    return _sum_by(pairs, ends, rows * 256).reshape(rows, 256)


class Runs(NamedTuple):
    """Runs of equal pixels in the rows of a map: the value, the row, the first column, and the one
    behind the last, of each [K].
    """

    values: np.ndarray
    rows: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


def find_runs(labels: np.ndarray) -> Runs | None:
    """The runs of a uint8 map [H, W]; None where they are short, so that to count pixels is faster.
    """
    last = np.ones(labels.shape, np.bool_)
    np.not_equal(labels[:, 1:], labels[:, :-1], out=last[:, :-1])
    if np.count_nonzero(last) * LONG_RUN > last.size:
        return None
    places = np.flatnonzero(last)
    width = labels.shape[1]
    rows = places // width
    ends = places - rows * width + 1
    starts = np.empty_like(ends)
    starts[:1], starts[1:] = 0, ends[:-1]
    starts[starts == width] = 0
    return Runs(labels.reshape(-1).take(places).astype(np.intp), rows, starts, ends)


def count_runs(runs: Runs, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Number of pixels with each value where row i of the map is repeated rows[i] times, and
    column j columns[j] times: int64 [256].
    """
    # The sums are float64, exact up to 2**53 pixels.
    covered = np.zeros(len(columns) + 1)
    np.cumsum(columns, out=covered[1:])
    weights = covered.take(runs.ends)
    weights -= covered.take(runs.starts)
    weights *= rows.take(runs.rows)
    return np.bincount(runs.values, weights, 256).astype(np.int64)


def _run_ends(*maps: np.ndarray) -> np.ndarray | None:
    """Last pixel of each run of pixels that are equal in all maps [P]; None for short runs."""
    ends = np.zeros(maps[0].size, np.bool_)
    ends[-1:] = True
    for values in maps:
        ends[:-1] |= values[1:] != values[:-1]
    if np.count_nonzero(ends) * LONG_RUN > ends.size:
        return None
    return np.flatnonzero(ends)


def _sum_by(values: np.ndarray, ends: np.ndarray, size: int) -> np.ndarray:
    """Number of pixels with each value [size], from value and last pixel of each run."""
    # The sums are float64, exact up to 2**53 pixels.
    return np.bincount(values, np.diff(ends, prepend=-1), size).astype(np.int64)


def _histogram(maps: list[np.ndarray]) -> np.ndarray:
    total = np.zeros([256] * len(maps), np.int64)
    for start in range(0, maps[0].size, EXACT_COUNT):
        parts = [values[start:start + EXACT_COUNT] for values in maps]
        counts = cv2.calcHist(parts, list(range(len(maps))), None, [256] * len(maps),
                              [0, 256] * len(maps))
        total += counts.reshape(total.shape).astype(np.int64)
    return total
