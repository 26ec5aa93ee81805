"""Read the mask of a sample, and find what is wrong with its values."""
from collections.abc import Sequence

import numpy as np

from mmcv_replace.utils.errors import DataError

from ..annotation import ColourMaskError, count_labels, decode_label, lossy_format
from .colours import describe_colours
from .files import read_file
from .findings import Diagnosis
from .source import Source

SHOWN = 8


def examine_mask(path: str, source: Source, found: Diagnosis) -> tuple[int, int] | None:
    """The size [height, width] of a mask; None where it is bad or only its existence is checked."""
    content = read_file(path, source.mask, found)
    if content is None:
        return None
    try:
        label = decode_label(content, path, source.mask.imdecode_backend)
    except ColourMaskError as error:
        colours = describe_colours(error.colours, source.dataset.PALETTE, source.dataset.CLASSES)
        found.add('colour-mask', path, f'{error}. {colours}'.removeprefix(f'{path}: '))
        return None
    except DataError as error:
        found.add_error(path, error)
        return None
    found.values, found.counts = count_labels(label)
    found.lossy = lossy_format(content)
    if found.lossy is not None:
        found.add('lossy-mask', path, found.lossy)
    for kind, detail in _find_faults(found.values, found.counts, source):
        found.add(kind, path, detail)
    return label.shape


def _find_faults(values: np.ndarray, counts: np.ndarray, source: Source) -> list[tuple[str, str]]:
    """Findings, (kind, detail) each, on the values [V] of one mask and their pixels [V]."""
    wrong = source.wrong_values(values)
    if wrong.size:
        pixels = dict(zip(values.tolist(), counts.tolist(), strict=True))
        told = _join([f'{value} ({pixels[value]:,} pixels)' for value in wrong.tolist()])
        return [('label-range', f'holds {told}')]
    if source.is_ignored(values).all():
        return [('empty-mask', f'holds only {_join(values.tolist())}')]
    if source.looks_binary(values.tolist()):
        return [('two-values', f'holds 0 and {values[1]}')]
    return []


def _join(items: Sequence[object]) -> str:
    return ', '.join(map(str, items[:SHOWN])) + (', ...' if len(items) > SHOWN else '')
