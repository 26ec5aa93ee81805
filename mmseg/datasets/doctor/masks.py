"""Read the mask of a sample, and find what is wrong with its values."""
from mmcv_replace.utils.errors import DataError

from ..annotation import ColourMaskError, count_labels, decode_label, listing, lossy_format
from .colours import describe_colours
from .files import read_file
from .findings import Diagnosis
from .source import Source


def examine_mask(path: str, source: Source, found: Diagnosis) -> tuple[int, int] | None:
    """The size [height, width] of a mask; None where it is bad or only its existence is checked."""
    content = read_file(path, source.mask, found)
    if content is None:
        return None
    try:
        label = decode_label(content, path, source.mask.imdecode_backend,
                             source.dataset.seg_map_key)
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
    _find_faults(path, source, found)
    return label.shape


def _find_faults(path: str, source: Source, found: Diagnosis) -> None:
    """Add what is wrong with the values of a mask."""
    values = found.values
    wrong = source.wrong_values(values)
    if wrong.size:
        pixels = dict(zip(values.tolist(), found.counts.tolist(), strict=True))
        told = listing([f'{value} ({pixels[value]:,} pixels)' for value in wrong.tolist()])
        found.add('label-range', path, f'holds {told}')
    elif source.is_ignored(values).all():
        found.add('empty-mask', path, f'holds only {listing(values)}')
    elif source.looks_binary(values.tolist()):
        found.add('two-values', path, f'holds 0 and {values[1]}')
