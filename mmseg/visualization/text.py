"""Text in pictures: its size, its length, and lists of colours with names."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from .fonts import choose_fonts

TEXT_SIZE = (12, 28)  # smallest and largest height of the text in pixels
LINES = 24  # lines of text per height of the picture, before that limit
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
GREY = (96, 96, 96)
CUT = '...'

Colour = Sequence[int]


def text_size(height: int) -> int:
    """The height in pixels of text beside a picture of this height."""
    return int(np.clip(height / LINES, *TEXT_SIZE))


def shorten(text: str, font: Any, width: float) -> str:
    """A text that is cut, with dots behind it, to at most `width` pixels."""
    if font.getlength(text) <= width:
        return text
    kept = len(text)
    while kept and font.getlength(text[:kept].rstrip() + CUT) > width:
        kept -= 1
    return text[:kept].rstrip() + CUT if kept else ''


def wrap(text: str, font: Any, width: float) -> list[str]:
    """A text in lines of at most `width` pixels, which end between words where that is possible."""
    lines, line = [], ''
    for word in text.split():
        grown = f'{line} {word}' if line else word
        if font.getlength(grown) <= width:
            line = grown
            continue
        if line:
            lines.append(line)
        line = word
        while len(line) > 1 and font.getlength(line) > width:  # a path, or Chinese
            fit = next((end for end in range(len(line) - 1, 1, -1)
                        if font.getlength(line[:end]) <= width), 1)
            lines.append(line[:fit])
            line = line[fit:]
    return [*lines, line] if line else lines


def list_colours(entries: Sequence[tuple[str, Colour]], height: int,
                 short: Sequence[str] | None = None, size: int | None = None) -> np.ndarray:
    """A white BGR strip [H, W, 3], at least `height` pixels high, with a line for each entry.

    entries: a text and its colour in RGB. `short` is drawn where no font has the text.
    size: pixels of the text, by default as it fits the height.
    """
    from PIL import Image, ImageDraw  # late: most pictures have no legend
    size = text_size(height) if size is None else size
    line = size + size // 2
    drawn = choose_fonts([text for text, _ in entries], size, short)
    text_width = max((int(font.getlength(text)) for font, text in drawn), default=0)
    strip = Image.new('RGB', (text_width + 3 * size, max(height, len(entries) * line + size)),
                      WHITE)
    draw = ImageDraw.Draw(strip)
    for row, ((_, colour), (font, text)) in enumerate(zip(entries, drawn, strict=True)):
        top = size // 2 + row * line
        swatch = (size // 2, top, size // 2 + size, top + size)
        draw.rectangle(swatch, fill=tuple(map(int, colour)), outline=BLACK)
        draw.text((2 * size, top + size // 2), text, fill=BLACK, font=font, anchor='lm')
    return np.asarray(strip)[..., ::-1]


def beside(picture: np.ndarray, strip: np.ndarray) -> np.ndarray:
    """A BGR picture and a strip at its right; what is missing below the picture is white."""
    rest = np.full((strip.shape[0] - picture.shape[0], picture.shape[1], 3), 255, np.uint8)
    return np.hstack([np.vstack([picture, rest]), strip])
