"""Names of colours, in BGR order."""
from enum import Enum
from numbers import Integral

import numpy as np

from ..utils.errors import ConfigKeyError, ConfigTypeError


class Color(Enum):
    """Colours (blue, green, red)."""

    red = (0, 0, 255)
    green = (0, 255, 0)
    blue = (255, 0, 0)
    cyan = (255, 255, 0)
    yellow = (0, 255, 255)
    magenta = (255, 0, 255)
    white = (255, 255, 255)
    black = (0, 0, 0)


def color_val(color: Color | str | tuple[int, int, int] | int | np.ndarray) -> tuple[int, int, int]:
    """(blue, green, red) of a `Color` or its name, of such a tuple or array, or of a grey.

    Values are from 0 to 255. Raises ConfigTypeError and ConfigKeyError for what is no colour.
    """
    if isinstance(color, str):
        if color not in Color.__members__:
            raise ConfigKeyError(f'unknown colour {color!r}: choose one of '
                                 f'{", ".join(Color.__members__)}, or give (blue, green, red)')
        return Color[color].value
    if isinstance(color, Color):
        return color.value
    if isinstance(color, Integral):
        color = (color,) * 3
    values = color.tolist() if isinstance(color, np.ndarray) else color
    if not isinstance(color, tuple | np.ndarray) or np.shape(values) != (3,) or not all(
            0 <= value <= 255 for value in values):
        raise ConfigTypeError(f'{color!r} is no colour: give a name, (blue, green, red) or a grey, '
                              'each from 0 to 255')
    return tuple(int(value) for value in values)
