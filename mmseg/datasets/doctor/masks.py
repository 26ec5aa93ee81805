"""What the values in a mask mean, and what is wrong with them."""
from collections.abc import Sequence

import numpy as np

from mmcv_replace.utils.errors import DataError
from mmseg.core.evaluation.labels import remap_labels

from ..annotation import ColourMaskError, decode_label
from .colours import describe_colours
from .files import BadFile
from .source import Source

SHOWN = 8


def read_mask(content: bytes, path: str, source: Source) -> np.ndarray:
    """The values in a mask file [H, W]; raises BadFile where it cannot be decoded."""
    try:
        return decode_label(content, path, source.mask.backend or 'pillow')
    except DataError as error:
        bad = BadFile.because_of(error, path)
        if isinstance(error, ColourMaskError):
            colours = describe_colours(error.colours, source.palette, source.classes)
            bad = BadFile('colour-mask', f'{bad.detail}. {colours}')
        raise bad from error


def classes_of(values: np.ndarray, source: Source) -> np.ndarray:
    """The label that the data set gives to each value of a mask file."""
    return remap_labels(values, source.label_map, source.reduce_zero_label, source.ignore_index)


def wrong_values(values: np.ndarray, source: Source) -> np.ndarray:
    """The `values` in a mask file that are neither a class nor ignored."""
    if source.classes is None:
        return values[:0]
    labels = classes_of(values, source).astype(np.int64)
    inside = (labels >= 0) & (labels < len(source.classes))
    return values[~inside & (labels != source.ignore_index)]


def find_faults(values: np.ndarray, counts: np.ndarray, source: Source) -> list[tuple[str, str]]:
    """Findings, (kind, detail) each, on the values [V] of one mask and their pixels [V]."""
    wrong = wrong_values(values, source)
    if wrong.size:
        pixels = dict(zip(values.tolist(), counts.tolist(), strict=True))
        told = _join([f'{value} ({pixels[value]:,} pixels)' for value in wrong.tolist()])
        return [('label-range', f'holds {told}')]
    ignored = classes_of(values, source) == source.ignore_index
    if ignored.all():
        return [('empty-mask', f'holds only {_join(values.tolist())}')]
    if looks_binary(values.tolist(), source):
        return [('two-values', f'holds 0 and {values[1]}')]
    return []


def looks_binary(values: Sequence[int], source: Source) -> bool:
    """Whether masks hold 0 and one other value that is no class or ignored, such as 255."""
    if len(values) != 2 or values[0] != 0 or values[1] in (source.label_map or {}):
        return False
    other = np.array(values[1:], np.int64)
    lost = classes_of(other, source) == source.ignore_index
    return bool(lost[0]) or bool(wrong_values(other, source).size)


def _join(items: Sequence[object]) -> str:
    return ', '.join(map(str, items[:SHOWN])) + (', ...' if len(items) > SHOWN else '')
