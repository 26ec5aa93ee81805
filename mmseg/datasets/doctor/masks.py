"""Read the mask of a sample, and find what is wrong with its values."""
import os
from functools import partial

from mmcv_replace.utils.errors import DataError, MissingDataError

from ..listing.file_list import is_remote
from ..masks.annotation import ColourMaskError, count_labels, listing
from .colours import describe_colours
from .files import read_file
from .findings import Diagnosis
from .source import Source


def examine_mask(path: str, source: Source, found: Diagnosis) -> tuple[int, int] | None:
    """The size [height, width] of a mask; None where it is bad or only its existence is checked."""
    contents = _read_files(path, source, found)
    if contents is None:
        return None
    dataset = source.dataset
    try:
        label, found.lossy = dataset.mask_form.read(
            path, partial(_content_of, contents), source.mask.imdecode_backend,
            dataset.ignore_index)
    except ColourMaskError as error:
        colours = describe_colours(error.colours, dataset.PALETTE, dataset.CLASSES)
        found.add('colour-mask', path, f'{error}. {colours}'.removeprefix(f'{path}: '))
        return None
    except DataError as error:
        found.add_error(path, error)
        return None
    found.values, found.counts = count_labels(label)
    if found.lossy is not None:
        found.add('lossy-mask', path, found.lossy)
    _find_faults(path, source, found)
    return label.shape


def _read_files(path: str, source: Source, found: Diagnosis) -> dict[str, bytes] | None:
    """The contents of the files of a mask; None where one is bad, or is only looked for.

    Of a mask in one file a class some may be absent, but not all.
    """
    files = source.dataset.mask_form.files(path)
    there = [file for file in files if is_remote(file) or os.path.exists(file)]
    contents = {file: read_file(file, source.mask, found) for file in there or files[:1]}
    return None if None in contents.values() else contents


def _content_of(contents: dict[str, bytes], file: str) -> bytes:
    if file not in contents:
        raise MissingDataError(file)
    return contents[file]


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
