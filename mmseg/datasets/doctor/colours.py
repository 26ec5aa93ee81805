"""Describe the colours of a mask: which are colours of classes, and which are not."""
from collections.abc import Sequence

import numpy as np

from ..masks.classes import Palette

SHOWN = 8
# RGB colours in pictures of masks that are not those of classes.
BORDERS = {(224, 224, 192): 'the border that VOC does not label', (255, 255, 255): 'white'}

Colour = tuple[int, int, int]


def describe_colours(label: np.ndarray, palette: Palette | None,
                     classes: Sequence[str] | None) -> str:
    """Sentences about the colours of `label` [H, W, C] (BGR first), to follow an error."""
    if label.shape[2] < 3 or label.dtype != np.uint8:
        return f'It holds {label.shape[2]} channels of {label.dtype}, which are no RGB colours'
    found = find_colours(label)
    number = f'{len(found)} colour{"" if len(found) == 1 else "s"} (RGB)'
    if palette is None or classes is None:
        return f'It holds {number}: {_listing([str(colour) for colour in found])}'
    names = {tuple(map(int, colour)): name for colour, name in zip(palette, classes, strict=False)}
    known = [f'{colour} {names[colour]}' for colour in found if colour in names]
    strange = [f'{colour} ({BORDERS[colour]})' if colour in BORDERS else str(colour)
               for colour in found if colour not in names]
    if not strange:
        return f'It holds {number}, all of them of the palette: {_listing(known)}'
    if not known:
        return f'It holds {number}, none of them of the palette: {_listing(strange)}'
    return (f'It holds {number}. Of the palette {"is" if len(known) == 1 else "are"} '
            f'{_listing(known)}. Not of the palette {"is" if len(strange) == 1 else "are"} '
            f'{_listing(strange)}')


def find_colours(label: np.ndarray) -> list[Colour]:
    """The different RGB colours of an image [H, W, C] uint8 (BGR first), ascending."""
    blue, green, red = (label[..., band].reshape(-1) for band in range(3))
    codes = red.astype(np.uint32) << 16 | green.astype(np.uint32) << 8 | blue
    # Only the first pixel of each run is sorted: areas of one colour leave few.
    starts = np.append(True, codes[1:] != codes[:-1])
    return [(code >> 16, code >> 8 & 255, code & 255) for code in np.unique(codes[starts]).tolist()]


def _listing(items: Sequence[str]) -> str:
    return ', '.join(items[:SHOWN]) + (f' and {len(items) - SHOWN} more' if len(items) > SHOWN
                                       else '')
