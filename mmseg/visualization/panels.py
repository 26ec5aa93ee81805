"""Pictures with titles, side by side."""
from collections.abc import Sequence

import cv2
import numpy as np

from mmcv_replace.utils.errors import DataError

from .fonts import choose_fonts
from .text import BLACK, TEXT_SIZE, WHITE, Colour, beside, list_colours, shorten, text_size

GAP = 8  # pixels between panels
NARROWEST = 64  # pixels of a panel, for its title


def side_by_side(panels: Sequence[tuple[str, np.ndarray]], max_side: int | None = None,
                 legend: Sequence[tuple[str, Colour]] = ()) -> np.ndarray:
    """One BGR picture of several, each under its title, on white.

    panels: title and BGR picture [H, W, 3] uint8 each, of any sizes. max_side: pixels of the longer
    side of a panel; larger pictures are reduced, smaller ones stay as they are. Titles are cut to
    the width of their panels. legend: texts and RGB colours that are listed at the right. Raises
    DataError without a panel.
    """
    if not panels:
        raise DataError('there is no picture to show side by side')
    from PIL import Image, ImageDraw
    pictures = [reduce_to(picture, max_side) for _, picture in panels]
    widths = [max(picture.shape[1], NARROWEST) for picture in pictures]
    height = max(picture.shape[0] for picture in pictures)
    size = min(text_size(height), (TEXT_SIZE[0] + TEXT_SIZE[1]) // 2)
    top = size + size // 2 if any(title for title, _ in panels) else 0
    canvas = Image.new('RGB', (sum(widths) + GAP * (len(widths) - 1), top + height), WHITE)
    draw = ImageDraw.Draw(canvas)
    titles = choose_fonts([title for title, _ in panels], size)
    left = 0
    for picture, width, (font, title) in zip(pictures, widths, titles, strict=True):
        draw.text((left, top // 2), shorten(title, font, width), fill=BLACK, font=font, anchor='lm')
        canvas.paste(Image.fromarray(np.ascontiguousarray(picture[..., ::-1])), (left, top))
        left += width + GAP
    picture = np.asarray(canvas)[..., ::-1]
    return beside(picture, list_colours(legend, picture.shape[0])) if legend else picture.copy()


def reduce_to(picture: np.ndarray, max_side: int | None) -> np.ndarray:
    """A picture [H, W, ...] whose longer side is at most `max_side` pixels."""
    longest = max(picture.shape[:2])
    if max_side is None or longest <= max_side:
        return picture
    size = [max(1, round(edge * max_side / longest)) for edge in picture.shape[1::-1]]
    # By the mean of the pixels, so that nothing small is lost.
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
