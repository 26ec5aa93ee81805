"""Whether all of a data set is there: an error, or a warning, says what is not."""
import logging
from collections.abc import Mapping, Sequence

from mmcv_replace.utils.errors import DataError
from mmseg.datasets.masks.annotation import listing

logger = logging.getLogger('mmseg.converters')


def check_split(source: object, split: str, images: Sequence[str], unlabelled: Sequence[str],
                expected: str) -> None:
    """Raise DataError where `source` has no images for a split, or some that lack their labels.

    The names are those of files; `expected` is the layout, for the message.
    """
    if not images:
        raise DataError(f'{source} has no images for {split}\n{expected}')
    if unlabelled:
        raise DataError(f'{source} lacks the labels of {len(unlabelled)} images for {split}: '
                        f'{listing(unlabelled)}\n{expected}')


def warn_of_subset(counts: Mapping[str, int], full: Mapping[str, int], unit: str) -> None:
    """Log a warning where the numbers of `unit` of the splits are not those of all archives."""
    found = {split: counts.get(split, 0) for split in full}
    if found != dict(full):
        logger.warning(f'{_text(found)} {unit}; the complete archives give {_text(full)}. '
                       'Published scores need those; anything else is fine for a subset of the '
                       'data')


def _text(counts: Mapping[str, int]) -> str:
    return ', '.join(f'{split} {count:,}' for split, count in counts.items())
