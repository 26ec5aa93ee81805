"""Labels of images in which each class has a colour."""
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from mmcv_replace.image.formats.rows import Rows
from mmcv_replace.utils.errors import DataError
from mmseg.datasets.masks.colour_map import Colour, colour_table, pack_colours, to_rgb

SHOWN = 5  # colours in a message
# In each of red, green and blue, between a colour of a class and those that are taken for it.
# Colours of classes must be more than twice as far apart.
TOLERANCE = 80
NEAR = 512  # is added to what stands in the table for such colours


class LabelRows:
    """Labels [rows, W] uint8 of an image of colours, read like its rows.

    `unknown` counts the pixels [R, G, B] -> number of colours that no class has; their label is
    `other`. With `nearest` those within `TOLERANCE` of one that a class has get its label, and
    `near` is the number of their pixels.
    """

    def __init__(self, rows: Rows, colours: Mapping[Colour, int], other: int, nearest: bool = False,
                 ) -> None:
        self._rows = rows
        self._table = _table(tuple(colours.items()), nearest)
        self._other = other
        self._counted = 0  # rows may be read again by the next windows
        self.height, self.width = rows.height, rows.width
        self.unknown: Counter[Colour] = Counter()
        self.near = 0

    def read(self, top: int, bottom: int) -> np.ndarray:
        """Labels [bottom - top, W]."""
        codes = pack_colours(self._rows.read(top, bottom))
        places = self._table[codes]  # one above the label; 0: unknown
        new = max(self._counted - top, 0)
        self.near += np.count_nonzero(places[new:] >= NEAR)
        strange = places == 0
        labels = ((places & NEAR - 1) - 1).astype(np.uint8)
        if strange.any():
            values, counts = np.unique(codes[new:][strange[new:]], return_counts=True)
            for colour, count in zip(to_rgb(values), counts.tolist(), strict=True):
                self.unknown[colour] += count
            labels[strange] = self._other
        self._counted = max(self._counted, bottom)
        return labels


@lru_cache(2)
def _table(colours: tuple[tuple[Colour, int], ...], nearest: bool) -> np.ndarray:
    table = colour_table(dict(colours))
    cube = table.reshape(256, 256, 256)
    for colour, label in colours if nearest else ():
        cube[tuple(slice(max(value - TOLERANCE, 0), value + TOLERANCE + 1)
                   for value in colour)] = label + 1 + NEAR
        cube[colour] = label + 1
    return table


def describe_near(number: int, pixels: int) -> str:
    """Share of pixels whose colours are near those of classes."""
    return (f'{_percent(number, pixels)} of the pixels have colours near those of classes, as '
            'files that were stored with losses do, and are taken for these')


def describe_unknown(unknown: Mapping[Colour, int], pixels: int) -> str:
    """Share of pixels of strange colours, and the most frequent ones."""
    frequent = sorted(unknown.items(), key=lambda item: (-item[1], item[0]))
    shares = ', '.join(f'{colour} {_percent(count, pixels)}' for colour, count in frequent[:SHOWN])
    more = f' and {len(frequent) - SHOWN} more' if len(frequent) > SHOWN else ''
    return f'{_percent(sum(unknown.values()), pixels)} of the pixels have colours (RGB) of no ' \
           f'class: {shares}{more}'


def check_known(labels: LabelRows, place: object, colours: Mapping[Colour, int]) -> None:
    """Raise DataError with the file `place` if there were colours that no class has."""
    if labels.unknown:
        raise DataError(
            f'{place}: {describe_unknown(labels.unknown, labels.height * labels.width)}. The '
            f'classes have {", ".join(map(str, colours))}. If the file is whole, and not one that '
            'was resized or saved with losses, --unknown ignore takes such pixels out of training '
            'and scores')


def _percent(count: int, pixels: int) -> str:
    share = 100 * count / pixels
    return f'{share:.2f}%' if share >= 0.01 else f'{count} pixel{"s" if count > 1 else ""}'
