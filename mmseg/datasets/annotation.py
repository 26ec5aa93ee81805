"""Masks: one class index per pixel, read from a file and checked before training sees it."""
from functools import lru_cache

import cv2
import numpy as np

from mmcv_replace.image import imfrombytes, unscale_grey
from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation.counting import count_values


class ColourMaskError(DataError):
    """A mask with several channels, where one is the rule."""


def decode_label(content: bytes, name: str, backend: str = 'pillow') -> np.ndarray:
    """Class indices [H, W] of an encoded mask: uint8 where they fit, int32 otherwise.

    `name` is for the messages. Raises DataError for a mask that holds colours or fractions.
    """
    label = imfrombytes(content, flag='unchanged', backend=backend, name=name)
    label = unscale_grey(label, content)
    if label.ndim == 3 and label.shape[2] == 1:
        label = label[..., 0]
    if label.ndim == 3:
        raise ColourMaskError(_colour_message(label, name, backend))
    if label.dtype.kind not in 'bui':
        raise DataError(f'{name}: the mask holds values of type {label.dtype}; a mask holds one '
                        'class index (an integer) per pixel')
    if label.dtype.itemsize == 1 or 0 <= label.min() <= label.max() <= 255:
        return label.astype(np.uint8, copy=False)
    return label.astype(np.int32)


def _colour_message(label: np.ndarray, name: str, backend: str) -> str:
    message = (f'{name}: the mask has {label.shape[2]} channels, so it holds colours; a mask holds '
               'one class index per pixel (a grey or palette PNG). ')
    if (label[..., :3] == label[..., :1]).all():
        return message + 'Its channels are equal: keep one of them'
    if backend != 'pillow':
        message += "Is it a palette PNG? imdecode_backend='pillow' reads its indices. "
    return message + 'Otherwise write a mask with the index of the class of each colour'


def count_labels(label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values in a label map [H, W], ascending, and how many pixels have each."""
    if label.dtype != np.uint8:
        return np.unique(label, return_counts=True)
    histogram = count_values(label)
    values = np.flatnonzero(histogram)
    return values, histogram[values]


def check_labels(label: np.ndarray, name: str, num_classes: int, ignore_index: int) -> None:
    """Raise DataError where a pixel is neither one of the classes nor ignored."""
    if label.dtype == np.uint8 and not cv2.LUT(label, _is_wrong(num_classes, ignore_index)).any():
        return
    values = count_labels(label)[0]
    wrong = values[((values < 0) | (values >= num_classes)) & (values != ignore_index)]
    if not wrong.size:
        return
    shown = ', '.join(map(str, wrong[:8])) + (', ...' if wrong.size > 8 else '')
    raise DataError(
        f'{name}: the mask holds {shown}, but the {num_classes} classes are 0 to '
        f'{num_classes - 1} and ignored pixels {ignore_index}; '
        + label_remedy(values.tolist(), wrong.tolist(), num_classes))


@lru_cache(8)
def _is_wrong(num_classes: int, ignore_index: int) -> np.ndarray:
    """Table [256] of what a pixel of a mask may not hold: 1, and 0 for the rest."""
    values = np.arange(256)
    return ((values >= num_classes) & (values != ignore_index)).astype(np.uint8)


def label_remedy(values: list[int], wrong: list[int], num_classes: int) -> str:
    """What to do about masks that hold `values`, ascending, the `wrong` ones among them."""
    if len(values) == 2 and values[0] == 0:
        return ('a mask of two values: give the dataset class the attribute label_map = '
                f'{{0: 0, {values[1]}: 1}}, or write masks with 0 and 1')
    if wrong == [num_classes]:
        return ('if the classes are numbered from 1, set reduce_zero_label=True, both in the '
                "dataset and in LoadAnnotations; otherwise correct the dataset's classes or the "
                'mask')
    return "correct the dataset's classes or the mask"
