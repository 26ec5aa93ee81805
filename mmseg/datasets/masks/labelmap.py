"""labelmap.txt of CVAT and datumaro: a class a line, `name:red,green,blue:parts:actions`."""
import re
from collections.abc import Iterable

from mmseg.core.utils import voc_colormap

from .colour_map import Colour, read_colour

COMMENT = '#'
# A colour, or none, after the first colon: `part:wheel` is a name.
_LINE = re.compile(r'[^:]*:\s*(:|\d+\s*,|#[0-9a-fA-F]{6}\b)')


def is_labelmap(lines: Iterable[str]) -> bool:
    """Whether a text has lines of this form, and is no list of names alone."""
    return any(_LINE.match(line) for line in lines if not line.startswith(COMMENT))


def parse_labelmap(lines: Iterable[str]) -> list[tuple[str, Colour]]:
    """Name and RGB colour of each class, in order; without colours those of VOC, by their places.

    Raises ValueError for a line of another form.
    """
    found: list[tuple[str, Colour]] = []
    for line in lines:
        if not line.strip() or line.startswith(COMMENT):
            continue
        name, colon, rest = line.partition(':')
        text = rest.partition(':')[0].strip()
        place = len(found)
        colour = read_colour(text) if text else tuple(voc_colormap(place + 1)[place].tolist())
        if colour is None or not name.strip() or not colon:
            raise ValueError(f'{line.strip()!r} is not name:red,green,blue:: (a colour is red, '
                             'green and blue from 0 to 255)')
        found.append((name.strip(), colour))
    return found
