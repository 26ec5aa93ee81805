"""COCO's run-length encoding of binary masks, in NumPy."""
from typing import Any

import numpy as np

from mmcv_replace.image.limits import check_pixels
from mmcv_replace.utils.errors import DataError

# A character holds five bits of a number above code 48, and whether more of them follow.
FIRST, BITS, MORE, SIGN = 48, 5, 32, 16


def decode_rle(segmentation: Any, name: str) -> np.ndarray:
    """The mask [H, W] bool of dict(size=[H, W], counts=...).

    `counts` are the lengths of runs of zeros and ones in turn, column by column: a list, or a text
    in which each is written as the difference from the last but one. `name` is the place in
    messages. Raises DataError where they do not fill the mask.
    """
    size, counts = (segmentation.get(key) for key in ('size', 'counts')
                    ) if isinstance(segmentation, dict) else (None, None)
    if not (isinstance(size, list | tuple) and len(size) == 2
            and all(isinstance(side, int) and side > 0 for side in size)):
        raise DataError(f'{name}: a run-length encoded mask is dict(size=[height, width], '
                        'counts=...), not this; fetch the file again')
    check_pixels(*size)
    runs = _runs(counts)
    height, width = size
    if runs is None or (runs < 0).any() or runs.sum() != height * width:
        raise DataError(f'{name}: the counts do not fill {width} x {height} pixels; fetch the file '
                        'again')
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


def _runs(counts: Any) -> np.ndarray | None:
    """The lengths [N] int64 in a list or a compressed text, None for anything else."""
    if isinstance(counts, list) and all(type(count) is int and count < 2**31 for count in counts):
        return np.array(counts, np.int64)
    if isinstance(counts, str) and counts.isascii():
        counts = counts.encode()
    return _expand(counts) if isinstance(counts, bytes) else None


def _expand(text: bytes) -> np.ndarray | None:
    codes = np.frombuffer(text, np.uint8).astype(np.int64) - FIRST
    ends = np.flatnonzero(codes & MORE == 0)
    if not len(ends) or ends[-1] != len(codes) - 1 or codes.min() < 0 or codes.max() >= 2 * MORE:
        return None
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 12:  # more bits than a number has
        return None
    place = np.arange(len(codes)) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((codes & (MORE - 1)) << (BITS * place), starts)
    numbers -= np.where(codes[ends] & SIGN, 1 << (BITS * lengths), 0)
    # The first three are lengths themselves, the later ones differences.
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers
