"""Masks painted with the brush of Label Studio, which packs runs of RGBA values into bits.

The format is that of the JavaScript package @thi.ng/rle-pack: the number of values (32 bits), the
bits of a value minus 1 (5), the bits of four kinds of lengths minus 1 (4 each). Then, again and
again: 1 for a run or 0 for single values, the kind of the length (2), the length minus 1, and the
value or the values.
"""
import numpy as np

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import short

from .points import Size

_CHANNELS = 4
_ALPHA = 3


def brush_mask(rle: object, size: Size) -> np.ndarray:
    """What the brush covers of an image [height, width]: bool [H, W], where its alpha is not 0.

    `rle` is a list of bytes. Raises DataError where it ends early, or is of another size.
    """
    try:
        # A number would be as many bytes of 0.
        content = bytes(rle if isinstance(rle, list) else None)
    except (TypeError, ValueError) as error:
        raise DataError(f'the RLE of a brush is a list of bytes, and not {short(rle)}') from error
    values = _unpack(content, size[0] * size[1] * _CHANNELS)
    return values.reshape(*size, _CHANNELS)[..., _ALPHA]


def _unpack(content: bytes, expected: int) -> np.ndarray:
    """Whether each value is not 0: bool [expected]."""
    bits = np.unpackbits(np.frombuffer(content, np.uint8))
    position = 0

    def read(count: int) -> int:
        nonlocal position
        end = position + count
        if end > len(bits):
            raise DataError('the RLE of the brush ends early; export again')
        found = int.from_bytes(content[position >> 3:(end + 7) >> 3], 'big')
        position = end
        return (found >> (-end % 8)) & ((1 << count) - 1)

    number = read(32)
    if number != expected:
        raise DataError(f'the brush was painted on {number // _CHANNELS} pixels, and the image has '
                        f'{expected // _CHANNELS}')
    width = read(5) + 1
    lengths = [read(4) + 1 for _ in range(4)]
    values = np.zeros(number, bool)
    done = 0
    while done < number:
        is_run = read(1)
        count = read(lengths[read(2)]) + 1
        if done + count > number:
            raise DataError('the RLE of the brush has more values than it says; export again')
        if is_run:
            values[done:done + count] = read(width) != 0
        else:
            end = position + count * width
            if end > len(bits):
                raise DataError('the RLE of the brush ends early; export again')
            values[done:done + count] = bits[position:end].reshape(count, width).any(1)
            position = end
        done += count
    return values
