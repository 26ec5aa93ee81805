"""Masks: read a class index for each pixel from a file, and check the values."""
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from mmcv_replace.image import imfrombytes, unscale_grey
from mmcv_replace.image.formats.array_file import is_array_file
from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation.histogram import count_values

# Largest number of wrong values that may all mark pixels without a class.
MOST_VOID = 3


class ColourMaskError(DataError):
    """A mask with several channels instead of one: `colours` [H, W, C], BGR first."""

    # The colours are optional, since torch rebuilds errors of a worker from the message alone.
    def __init__(self, message: str, colours: np.ndarray | None = None) -> None:
        super().__init__(message)
        self.colours = colours


def decode_label(content: bytes, name: str, backend: str = 'pillow',
                 key: str | None = None) -> np.ndarray:
    """Class indices [H, W] of an encoded mask: uint8 where they fit, int32 otherwise.

    `name` is the file in messages, `key` the array in an .npz file of several. Raises
    ColourMaskError for a mask of several channels, and DataError for one of fractions or one that
    cannot be decoded.
    """
    label = imfrombytes(content, flag='unchanged', backend=backend, name=name, key=key)
    label = unscale_grey(label, content)
    if label.ndim == 3 and label.shape[2] == 1:
        label = label[..., 0]
    if label.ndim == 3 and label.shape[0] == 1 and is_array_file(content):
        label = label[0]  # as rasterio reads a band
    if label.ndim == 3:
        raise ColourMaskError(_colour_message(label, content, name, backend), label)
    if label.dtype.kind not in 'bui':
        raise DataError(f'{name}: the mask holds values of type {label.dtype}; a mask holds one '
                        'class index (an integer) per pixel')
    if label.dtype.itemsize == 1 or 0 <= label.min() <= label.max() <= 255:
        return label.astype(np.uint8, copy=False)
    limits = np.iinfo(np.int32)
    if label.min() < limits.min or label.max() > limits.max:
        raise DataError(f'{name}: the mask holds values from {label.min()} to {label.max()}; a '
                        'mask holds one class index per pixel: replace those that are none by 255')
    return label.astype(np.int32)


def _colour_message(label: np.ndarray, content: bytes, name: str, backend: str) -> str:
    message = (f'{name}: the mask has {label.shape[2]} channels, so it holds colours; a mask holds '
               'one class index per pixel (a grey or palette PNG). ')
    if all(np.array_equal(label[..., 0], label[..., band])
           for band in range(1, min(3, label.shape[2]))):
        return message + 'Its channels are equal: keep one of them'
    lossy = lossy_format(content)
    if lossy is not None:
        return message + f'Besides, {lossy_remedy(lossy)}'
    if backend != 'pillow':
        message += "If it is a palette PNG, imdecode_backend='pillow' reads its indices. "
    return message + 'Give the dataset colour_map, the number of the class of each colour'


def count_labels(label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values [V] in a label map [H, W], ascending, and how many pixels have each [V]."""
    if label.dtype != np.uint8:
        return np.unique(label, return_counts=True)
    return nonzero(count_values(label))


def nonzero(histogram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values that there are in a histogram [256], and their counts."""
    values = np.flatnonzero(histogram)
    return values, histogram[values]


def check_labels(label: np.ndarray, name: str, num_classes: int, ignore_index: int,
                 lossy: str | None = None) -> None:
    """Raise DataError where a pixel of a label map [H, W] is neither a class nor ignored.

    `lossy` is the format of the file where it is one that changes values.
    """
    if label.dtype == np.uint8 and not cv2.LUT(label, _is_wrong(num_classes, ignore_index)).any():
        return
    values = count_labels(label)[0]
    wrong = values[((values < 0) | (values >= num_classes)) & (values != ignore_index)]
    if not wrong.size:
        return
    raise DataError(
        f'{name}: the mask holds {listing(wrong)}, but the {num_classes} classes are 0 to '
        f'{num_classes - 1} and ignored pixels {ignore_index}; '
        + (lossy_remedy(lossy) if lossy is not None
           else label_remedy(values.tolist(), wrong.tolist(), num_classes, ignore_index,
                             one_mask=True)))


def listing(items: Sequence[object]) -> str:
    """The first eight items as a text."""
    return ', '.join(map(str, items[:8])) + (', ...' if len(items) > 8 else '')


def lossy_format(content: bytes) -> str | None:
    """The name of a format that changes values, None where the encoded mask has another."""
    if content.startswith(b'\xff\xd8'):
        return 'JPEG'
    if content[:4] == b'RIFF' and content[8:16] == b'WEBPVP8 ':
        return 'WebP with losses'
    return None


def lossy_remedy(name: str) -> str:
    """What to do about a mask in a format that changes values."""
    return (f'the file is a {name}, which is lossy: values at the borders become others, nobody '
            'can tell the right ones afterwards; make the masks again as PNG from their source')


@lru_cache(8)
def _is_wrong(num_classes: int, ignore_index: int) -> np.ndarray:
    """Table [256] uint8: 1 for values that a mask must not hold, 0 for the others."""
    values = np.arange(256)
    return ((values >= num_classes) & (values != ignore_index)).astype(np.uint8)


def label_remedy(values: list[int], wrong: list[int], num_classes: int, ignore_index: int,
                 mapped: bool = False, one_mask: bool = False) -> str:
    """What to do about masks that hold `values`, ascending, of which `wrong` are no class.

    `mapped`: the data set has a `label_map` already. `one_mask`: the values are those of one mask,
    and others may hold more.
    """
    if len(values) == 2 and values[0] == 0 and not mapped:
        two = ('a mask of two values: give the dataset '
               f'label_map={{0: 0, {values[1]}: 1}}, or write masks with 0 and 1')
        if not one_mask or num_classes <= 2:
            return two
        return f'{_void_remedy(values, wrong, ignore_index, mapped)}; where all are {two}'
    if not wrong or len(wrong) > MOST_VOID:
        return "correct the dataset's classes, its label_map or the mask"
    void = _void_remedy(values, wrong, ignore_index, mapped)
    from_one = ('if the classes are numbered from 1 and 0 is what does not count, set '
                'reduce_zero_label=True of the dataset')
    if wrong != [num_classes]:
        return f"{void}; otherwise correct the dataset's classes or the mask"
    first, second = (void, from_one) if 0 in values else (from_one, void)
    return f"{first}; {second}; otherwise correct the dataset's classes or the mask"


def _void_remedy(values: list[int], wrong: list[int], ignore_index: int, mapped: bool) -> str:
    """How to ignore values that mark pixels without a class, as 255 often does."""
    told = ' and '.join(map(str, wrong))
    one = len(wrong) == 1
    start = f'if {told} mark{"s" if one else ""} pixels without a class (void, unlabelled), '
    if one and ignore_index not in values and not mapped:
        return (f'{start}set ignore_index={wrong[0]} of the dataset, which the steps and heads '
                'follow')
    pairs = ', '.join(f'{value}: -1' for value in wrong)
    return start + (f'add {pairs} to its label_map' if mapped
                    else f'give the dataset label_map={{{pairs}}}')
