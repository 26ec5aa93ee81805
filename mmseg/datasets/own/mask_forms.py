"""Whether the numbers or the colours of masks count, where files hold both."""
from collections.abc import Sequence

from mmcv_replace.utils.errors import DataError

from ..masks.colour_map import Colour
from .by_number import VOID
from .survey import Look


def common_palette(looks: Sequence[Look]) -> tuple[dict[int, Colour] | None, str]:
    """The colour of each value in files with a palette; None, and why, where colours count more.

    They do where palettes contradict each other, and where the colours are greys that are class
    numbers themselves: programs that write GIFs number the greys of each file anew.
    """
    common: dict[int, Colour] = {}
    for look in looks:
        for value, colour in look.palette.items():
            if common.setdefault(value, colour) != colour:
                return None, 'the palettes of the masks differ'
    greys = {colour[0] for colour in common.values() if len(set(colour)) == 1}
    numbers = greys - {VOID}
    moved = any(colour != (value,) * 3 for value, colour in common.items())
    if moved and len(greys) == len(common) and max(numbers, default=0) < 2 * len(greys):
        return None, 'the palettes of the masks hold their numbers as greys'
    return common, ''


def check_one_form(looks: Sequence[Look]) -> None:
    """Raise DataError where some masks hold numbers and others colours, whose meaning is not told.

    Greys of 0 and 255 alone may be either.
    """
    numbers = next((look for look in looks if look.colours is None
                    and set(look.values) - {0, VOID}), None)
    coloured = next((look for look in looks if look.values is None
                     and any(len(set(colour)) > 1 for colour in look.colours)), None)
    if numbers is not None and coloured is not None:
        colour = max((colour for colour in coloured.colours if len(set(colour)) > 1),
                     key=lambda colour: coloured.colours[colour])
        share = 100 * coloured.colours[colour] / coloured.pixels
        raise DataError(
            f'{numbers.pair.mask} holds numbers, and {coloured.pair.mask} colours, such as '
            f'{colour} ({share:.3g}% of it): which class each stands for is not known. Make all '
            'masks of one form, or list the colours in a labelmap.txt beside the masks, with lines '
            'such as road:128,64,128::')
