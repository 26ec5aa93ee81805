"""Pictures with titles, side by side."""
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from mmcv_replace.utils.errors import DataError

from .fonts import choose_fonts
from .text import BLACK, TEXT_SIZE, WHITE, Colour, beside, list_colours, text_size, wrap

GAP = 8  # pixels between panels
NARROWEST = 64  # pixels of a panel, for its title

Line = tuple[Any, str]  # font and text


def side_by_side(panels: Sequence[tuple[str, np.ndarray]], max_side: int | None = None,
                 legend: Sequence[tuple[str, Colour]] = (), narrowest: int = NARROWEST,
                 row_width: int | None = None) -> np.ndarray:
    """One BGR picture of several, each under its title, on white.

    panels: title and BGR picture [H, W, 3] uint8 each, of any sizes; titles have as many lines as
    they need in the width of their panels, which is `narrowest` pixels at least. max_side: pixels
    of the longer side of a panel; larger pictures are reduced, smaller ones stay as they are.
    legend: texts and RGB colours that are listed at the right. row_width: pixels after which
    another row begins. Raises DataError without a panel.
    """
    if not panels:
        raise DataError('there is no picture to show side by side')
    pictures = [reduce_to(picture, max_side) for _, picture in panels]
    widths = [max(picture.shape[1], narrowest) for picture in pictures]
    height = max(picture.shape[0] for picture in pictures)
    size = min(text_size(height), (TEXT_SIZE[0] + TEXT_SIZE[1]) // 2)
    titles = _wrap_titles([title for title, _ in panels], widths, size)
    rows = [_draw_row([pictures[place] for place in row], [widths[place] for place in row],
                      [titles[place] for place in row], size)
            for row in _split_rows(widths, row_width)]
    widest = max(row.shape[1] for row in rows)
    picture = np.vstack([np.pad(row, ((0, 0 if row is rows[-1] else GAP),
                                      (0, widest - row.shape[1]), (0, 0)), constant_values=255)
                         for row in rows])
    return beside(picture, list_colours(legend, picture.shape[0], size=size)) if legend else (
        picture)


def _wrap_titles(titles: Sequence[str], widths: Sequence[int], size: int) -> list[list[Line]]:
    """The lines of each title; a line break in it ends a line."""
    parts = [(place, part) for place, title in enumerate(titles) for part in title.splitlines()]
    lines: list[list[Line]] = [[] for _ in titles]
    for (place, _), (font, text) in zip(parts, choose_fonts([part for _, part in parts], size),
                                        strict=True):
        lines[place] += [(font, line) for line in wrap(text, font, widths[place])]
    return lines


def _split_rows(widths: Sequence[int], row_width: int | None) -> list[list[int]]:
    """The places of the panels in each row."""
    rows: list[list[int]] = []
    right = 0
    for place, width in enumerate(widths):
        if not rows or row_width is not None and right + GAP + width > row_width:
            rows.append([])
            right = -GAP
        rows[-1].append(place)
        right += GAP + width
    return rows


def _draw_row(pictures: Sequence[np.ndarray], widths: Sequence[int],
              titles: Sequence[Sequence[Line]], size: int) -> np.ndarray:
    from PIL import Image, ImageDraw  # late: most runs draw none
    line = size + size // 4
    lines = max(map(len, titles))
    top = lines * line + size // 4 if lines else 0
    canvas = Image.new('RGB', (sum(widths) + GAP * (len(widths) - 1),
                               top + max(picture.shape[0] for picture in pictures)), WHITE)
    draw = ImageDraw.Draw(canvas)
    left = 0
    for picture, width, title in zip(pictures, widths, titles, strict=True):
        for row, (font, text) in enumerate(title):
            draw.text((left, row * line + line // 2), text, fill=BLACK, font=font, anchor='lm')
        canvas.paste(Image.fromarray(np.ascontiguousarray(picture[..., ::-1])), (left, top))
        left += width + GAP
    return np.asarray(canvas)[..., ::-1]


def reduce_to(picture: np.ndarray, max_side: int | None) -> np.ndarray:
    """A picture [H, W, ...] whose longer side is at most `max_side` pixels."""
    longest = max(picture.shape[:2])
    if max_side is None or longest <= max_side:
        return picture
    size = [max(1, round(edge * max_side / longest)) for edge in picture.shape[1::-1]]
    # By the mean of the pixels, so that nothing small is lost.
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
