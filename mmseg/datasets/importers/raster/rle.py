"""Masks as lengths of runs, alternately outside and inside of the object, from outside on."""
import numpy as np

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import short

from .points import Size, shown

_FIRST, _BITS, _MORE, _SIGN = 48, 5, 32, 16  # of COCO's text form
_LONGEST = 12  # characters of a number of 64 bits, at most


def coco_rle(rle: dict, size: Size) -> np.ndarray:
    """A mask bool [H, W] from COCO's form, whose runs go down the columns.

    `counts` are numbers, or text that packs them. Raises DataError where the runs are not those of
    an image [height, width].
    """
    stated = rle.get('size')
    if not (isinstance(stated, list) and stated == list(size)):
        raise DataError(f'its RLE has the size {short(stated)}, and the image has [height, width] '
                        f'{list(size)}')
    counts = rle.get('counts')
    runs = unpack_counts(counts) if isinstance(counts, str) else counts
    return fill_runs(runs, size[0] * size[1]).reshape(size[::-1]).T


def unpack_counts(text: str) -> np.ndarray:
    """Run lengths from COCO's text: five bits a character, a sixth where the number goes on.

    From the fourth number on they are differences to the last but one.
    """
    codes = np.frombuffer(text.encode('utf-8', 'replace'), np.uint8).astype(np.int64) - _FIRST
    if not codes.size or codes.min() < 0 or codes.max() >= 2 * _MORE or codes[-1] & _MORE:
        raise DataError(f'its RLE is no text of COCO: {short(text)}')
    starts = np.flatnonzero(np.append(True, codes[:-1] & _MORE == 0))
    lengths = np.diff(np.append(starts, len(codes)))
    if lengths.max() > _LONGEST:
        raise DataError(f'its RLE holds a number of {lengths.max()} digits: {short(text)}')
    place = np.arange(len(codes)) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((codes & (_MORE - 1)) << (_BITS * place), starts)
    negative = codes[starts + lengths - 1] & _SIGN != 0
    numbers -= np.where(negative, np.int64(1) << (_BITS * lengths), 0)
    for first in (1, 2):
        numbers[first::2] = np.cumsum(numbers[first::2])
    return numbers


def fill_runs(runs: object, length: int) -> np.ndarray:
    """Bool [length] from run lengths; DataError unless these are numbers whose sum is `length`."""
    given = runs
    try:
        runs = np.asarray(runs)
        whole = runs.ndim == 1 and runs.size and runs.dtype.kind in 'iu' and runs.min() >= 0
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise DataError(f'its RLE is no list of run lengths: {shown(given)}')
    total = sum(runs.tolist())
    if total != length:
        raise DataError(f'its RLE covers {total} pixels, and the image (or its box) has {length}')
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)
