"""Count the values of label maps, and pairs of values: fast for uniform areas and for noise alike.

A plain histogram is slow for uniform areas, since each addition to a counter has to wait for the
previous one to the same counter. There, runs of equal pixels are counted instead.
"""
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


def count_repeated(labels: np.ndarray, rows: np.ndarray, columns: np.ndarray,
                   ) -> np.ndarray | None:
    """Number of pixels with each value after row i of a uint8 map [H, W] is repeated rows[i] times
    and column j columns[j] times: int64 [256].

    The repeated map is not made. None for short runs, which this would be slow for.
    """
    ends = np.ones(labels.shape, np.bool_)
    np.not_equal(labels[:, 1:], labels[:, :-1], out=ends[:, :-1])
    if np.count_nonzero(ends) * LONG_RUN > ends.size:
        return None
    row, column = np.divmod(np.flatnonzero(ends), labels.shape[1])
    covered = np.cumsum(columns)
    # Where the runs end if the rows, of which each ends a run, lie one behind the other.
    places = row * covered[-1] + covered[column]
    widths = np.diff(places, prepend=0)
    return np.bincount(labels[row, column], widths * rows[row], 256).astype(np.int64)


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
