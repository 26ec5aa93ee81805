"""Masks of colours: the value that each RGB colour stands for."""
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice

import cv2
import numpy as np

from mmcv_replace.image import imfrombytes
from mmcv_replace.utils.errors import ConfigError, DataError
from mmcv_replace.utils.suggest import short

OTHERS = '*'  # key of a colour_map: every colour that it does not name
IGNORED = -1  # value in a colour_map: pixels to ignore
MOST = 2**15  # values lie below
SHOWN = 6
_HEX = re.compile(r'#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})')

Colour = tuple[int, int, int]
ColourMap = dict[str, int]


def read_colour(value: object) -> Colour | None:
    """The RGB colour that '128,64,128', '#804080', '128 64 128' or (128, 64, 128) means, or None.
    """
    parts: Sequence[object]
    if isinstance(value, str):
        code = _HEX.fullmatch(value.strip())
        parts = [int(part, 16) for part in code.groups()] if code else [
            int(part) if part.isdecimal() else part
            for part in re.split(r'[\s,]+', value.strip().strip('()[]'))]
    else:
        parts = list(value) if isinstance(value, list | tuple) else []
    whole = len(parts) == 3 and all(
        isinstance(part, int) and not isinstance(part, bool) and 0 <= part <= 255
        for part in parts)
    return tuple(parts) if whole else None


def colour_key(colour: Sequence[int]) -> str:
    """The text of a colour in a `colour_map`."""
    return ','.join(map(str, colour))


def read_colour_map(owner: str, setting: object) -> ColourMap | None:
    """A `colour_map` with keys of one form, 'R,G,B' and '*'.

    `setting`: colour -> value, or a list of colours, each of which stands for its place. Raises
    ConfigError for anything else, and for a colour that is there twice.
    """
    if setting is None:
        return None
    if isinstance(setting, list | tuple):
        pairs = [(colour, value) for value, colour in enumerate(setting)]
    elif isinstance(setting, Mapping):
        pairs = list(setting.items())
    else:
        raise ConfigError(f"{owner}: colour_map={short(setting)} is neither a dict such as "
                          "{'128,64,128': 0} nor a list of RGB colours")
    found: ColourMap = {}
    for colour, value in pairs:
        rgb = read_colour(colour)
        if rgb is None and colour != OTHERS:
            raise ConfigError(f"{owner}: colour_map has {colour!r}, which is no RGB colour: write "
                              f"'128,64,128' or '#804080', or {OTHERS!r} for all other colours")
        if not isinstance(value, int) or isinstance(value, bool) or not IGNORED <= value < MOST:
            raise ConfigError(f'{owner}: colour_map has {colour!r}: {value!r}; a colour leads to '
                              'the number of a class, or to -1, which is ignored')
        key = OTHERS if rgb is None else colour_key(rgb)
        if key in found:
            raise ConfigError(f'{owner}: colour_map has the colour {key} twice: keep one')
        found[key] = value
    if not found:
        raise ConfigError(f'{owner}: colour_map is empty: name the colour of each class')
    return found


def decode_colours(content: bytes, name: str) -> np.ndarray:
    """The colours [H, W] uint32 of an encoded mask, red * 65536 + green * 256 + blue.

    Grey files and those with a palette have colours, too; an alpha does not count. Raises DataError
    for a file that cannot be decoded.
    """
    # The decoded file as it is: an EXIF tag turns no mask, and OpenCV applies palettes.
    img = imfrombytes(content, 'color_ignore_orientation', backend='cv2', name=name)
    return pack_colours(img)


def pack_colours(img: np.ndarray) -> np.ndarray | None:
    """The colours [H, W] uint32, as above, of an image [H, W, C] uint8 (BGR first).

    None for an image of another type, or of fewer channels than three.
    """
    if img.dtype != np.uint8 or img.ndim != 3 or img.shape[2] not in (3, 4):
        return None
    whole = cv2.cvtColor(img, cv2.COLOR_BGR2BGRA) if img.shape[2] == 3 else np.ascontiguousarray(
        img)
    return whole.view('<u4')[..., 0] & 0xFFFFFF


def to_rgb(codes: np.ndarray) -> list[Colour]:
    """The RGB colours that numbers of `decode_colours` stand for."""
    return [(code >> 16, code >> 8 & 255, code & 255) for code in codes.tolist()]


def map_colours(colours: np.ndarray, colour_map: ColourMap, name: str,
                ignore_index: int) -> np.ndarray:
    """The value [H, W] of each colour [H, W] of a mask; uint8 where all fit.

    Raises DataError with the share of each colour that `colour_map` does not know.
    """
    table, others = _table(tuple(colour_map.items()), ignore_index)
    places = table[colours]  # one above the value; 0: unknown
    if others is not None:
        places[places == 0] = others + 1
    elif not places.all():
        raise DataError(_unknown(colours, places == 0, colour_map, name))
    places -= 1
    most = max(*colour_map.values(), ignore_index)
    return places.astype(np.uint8) if most <= 255 else places.astype(np.int32)


@lru_cache(4)
def _table(items: tuple[tuple[str, int], ...], ignore_index: int) -> tuple[np.ndarray, int | None]:
    """`colour_table` of a `colour_map`, and the value of the colours without one."""
    values = {key: ignore_index if value == IGNORED else value for key, value in items}
    others = values.pop(OTHERS, None)
    return colour_table({read_colour(key): value for key, value in values.items()}), others


def colour_table(values: Mapping[Colour, int]) -> np.ndarray:
    """The value of each of the 2^24 colours plus 1, [2^24] uint16; 0 for those without one.

    Of the pages of zeros only those with a colour ever take memory.
    """
    table = np.zeros(2**24, np.uint16)
    for (red, green, blue), value in values.items():
        table[red << 16 | green << 8 | blue] = value + 1
    return table


def _unknown(colours: np.ndarray, unknown: np.ndarray, colour_map: ColourMap, name: str) -> str:
    found, counts = np.unique(colours[unknown], return_counts=True)
    order = np.argsort(-counts, kind='stable')
    shares = [f'{colour} ({100 * count / colours.size:.3g}% of its pixels)' for colour, count
              in zip(to_rgb(found[order[:SHOWN]]), counts[order].tolist(), strict=False)]
    more = f' and {len(found) - SHOWN:,} more' if len(found) > SHOWN else ''
    known = ', '.join(islice(colour_map, SHOWN)) + (', ...' if len(colour_map) > SHOWN else '')
    return (f'{name}: the mask holds colours (RGB) that are not in the colour_map ({known}): '
            f'{", ".join(shares)}{more}; add them, each with its class or -1 to ignore it, or '
            f"{OTHERS!r}: -1 for all others; many of them are a mask that was resized or stored "
            'with losses: make it again')
