"""A confusion matrix as a picture."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmcv_replace.utils.errors import DataError

from .fonts import choose_fonts
from .text import BLACK, GREY, WHITE, shorten

# For shares from 0 to 1, in RGB: the lightness falls all the way, so that the order can be seen
# without colours, too.
SCALE = np.array([(255, 255, 255), (214, 228, 242), (172, 202, 229), (126, 176, 214),
                  (79, 148, 199), (38, 119, 181), (18, 90, 156), (12, 62, 122), (8, 34, 82)])
NO_PIXELS = (236, 226, 204)  # the row of a class without pixels
LINE = (238, 238, 238)
CELLS = (9, 44)  # smallest and largest edge of a cell in pixels
EDGE = 1100  # pixels in which all cells fit, where they need not be smaller than that
LINES, NUMBERS = 14, 26  # smallest edge of a cell that has lines around it, or its percentage
LONGEST = 160  # pixels of a name
SPACE = 20  # pixels for a line of text, and between the parts
BAR = (14, 300)  # width and largest height of the scale


def draw_confusion(matrix: np.ndarray, names: Sequence[str] | None = None) -> np.ndarray:
    """A BGR picture of a confusion matrix, in which a row shows what becomes of a true class.

    matrix: [C, C] counts, a row for each true and a column for each predicted class. A cell is the
    darker the larger its share of the row is; where there is room, that is written in percent. The
    row of a class without pixels is beige. names: of the classes, by default their numbers.
    Raises DataError for another shape, and for counts below 0.
    """
    from PIL import Image, ImageDraw  # late: most runs draw none
    texts = _names(matrix, names)
    cell = int(np.clip(EDGE // len(texts), *CELLS))
    size = int(np.clip(cell * 0.8, CELLS[0] - 1, 16))
    labels = [(font, shorten(text, font, LONGEST)) for font, text in choose_fonts(
        texts, size, [str(place) for place in range(len(texts))])]
    left = top = SPACE + size + max(int(font.getlength(text)) for font, text in labels)
    edge = cell * len(texts)
    canvas = Image.new('RGB', (max(left + edge + 5 * SPACE, 13 * SPACE),
                               max(top + edge, 10 * SPACE) + SPACE), WHITE)
    draw = ImageDraw.Draw(canvas)
    _write(draw, (left + 2, SPACE // 2), 'predicted class (columns)', 14, GREY)
    title = _turned(*choose_fonts(['true class (rows)'], 14)[0], 14, GREY)
    canvas.paste(title, (2, max(0, top + edge // 2 - title.height // 2)))
    for place, (font, text) in enumerate(labels):
        middle = place * cell + cell // 2
        draw.text((left - size // 2, top + middle), text, fill=BLACK, font=font, anchor='rm')
        turned = _turned(font, text, size, BLACK)
        canvas.paste(turned, (left + middle - turned.width // 2, top - size // 2 - turned.height))
    shares, empty = _shares(matrix)
    canvas.paste(Image.fromarray(_cells(shares, empty, cell)), (left, top))
    draw.rectangle((left - 1, top - 1, left + edge, top + edge), outline=GREY)
    if cell >= NUMBERS:
        _write_shares(draw, shares, (left, top), cell)
    _draw_scale(canvas, (left + edge + SPACE, top), max(edge, 6 * SPACE), bool(empty.any()))
    return np.asarray(canvas)[..., ::-1].copy()


def _names(matrix: np.ndarray, names: Sequence[str] | None) -> list[str]:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise DataError(f'an array {list(matrix.shape)} is no confusion matrix: give counts [C, C]')
    if matrix.min() < 0:
        raise DataError(f'a confusion matrix holds counts, and this one {matrix.min()}')
    number = len(matrix)
    if names is not None and len(names) != number:
        raise DataError(f'{len(names)} names do not fit a confusion matrix of {number} classes')
    return [str(place) for place in range(number)] if names is None else list(names)


def _shares(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of each cell in its row [C, C], and whether the row is empty [C]."""
    totals = matrix.sum(axis=1, keepdims=True).astype(np.float64)
    return matrix / np.where(totals > 0, totals, 1), totals[:, 0] == 0


def _scale_colours(shares: np.ndarray) -> np.ndarray:
    """RGB colours [..., 3] of shares from 0 to 1."""
    places = np.linspace(0, 1, len(SCALE))
    return np.stack([np.interp(shares, places, SCALE[:, channel]) for channel in range(3)],
                    axis=-1).round().astype(np.uint8)


def _cells(shares: np.ndarray, empty: np.ndarray, cell: int) -> np.ndarray:
    """The RGB picture of all cells."""
    colours = _scale_colours(shares)
    colours[empty] = NO_PIXELS
    picture = colours.repeat(cell, axis=0).repeat(cell, axis=1)
    if cell >= LINES:
        picture[cell - 1::cell] = LINE
        picture[:, cell - 1::cell] = LINE
    return picture


def _write_shares(draw: Any, shares: np.ndarray, corner: tuple[int, int], cell: int) -> None:
    for row, column in zip(*np.nonzero(shares >= 0.005), strict=True):
        place = corner[0] + column * cell + cell // 2, corner[1] + row * cell + cell // 2
        share = shares[row, column]
        _write(draw, place, f'{100 * share:.0f}', cell * 2 // 5, WHITE if share > 0.5 else BLACK,
               'mm')


def _draw_scale(canvas: Any, corner: tuple[int, int], height: int, some_empty: bool) -> None:
    """A bar of all colours with percentages, and what a beige row means if there is one."""
    from PIL import Image, ImageDraw
    draw, (left, top), (width, highest) = ImageDraw.Draw(canvas), corner, BAR
    height = min(height, highest) - (SPACE * 3 // 2 if some_empty else 0)
    column = _scale_colours(np.linspace(1, 0, height))[:, None].repeat(width, axis=1)
    canvas.paste(Image.fromarray(column), corner)
    draw.rectangle((left - 1, top - 1, left + width, top + height), outline=GREY)
    for percent in (100, 50, 0):
        place = left + width + 4, top + round((100 - percent) / 100 * height)
        _write(draw, place, f'{percent} %', 12, BLACK)
    if some_empty:
        top += height + SPACE
        draw.rectangle((left - 1, top, left + width, top + width), NO_PIXELS, GREY)
        _write(draw, (left + width + 4, top + width // 2), 'no pixels', 12, BLACK)


def _write(draw: Any, place: tuple[int, int], text: str, size: int, colour: tuple[int, ...],
           anchor: str = 'lm') -> None:
    (font, text), = choose_fonts([text], size)
    draw.text(place, text, fill=colour, font=font, anchor=anchor)


def _turned(font: Any, text: str, size: int, colour: tuple[int, ...]) -> Any:
    """A picture of a text that runs upwards."""
    from PIL import Image, ImageDraw
    flat = Image.new('RGB', (max(1, int(font.getlength(text)) + 2), size + size // 2), WHITE)
    ImageDraw.Draw(flat).text((0, flat.height // 2), text, fill=colour, font=font, anchor='lm')
    return flat.rotate(90, expand=True)
