"""A list of class names and colours beside a picture."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmcv_replace.utils import warn_once

TEXT_SIZE = (12, 28)  # smallest and largest height of the text in pixels
LINES = 24  # lines of text per height of the picture, before that limit
# Tried in this order for characters that Pillow's own font lacks; all but the first have Chinese.
FONTS = ('DejaVuSans.ttf', 'NotoSansCJK-Regular.ttc', 'NotoSansSC-Regular.otf', 'wqy-zenhei.ttc',
         'wqy-microhei.ttc', 'DroidSansFallback.ttf', 'msyh.ttc', 'PingFang.ttc')
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def add_legend(picture: np.ndarray, seg_map: np.ndarray, colors: np.ndarray,
               names: Sequence[str] | None) -> np.ndarray:
    """Add a white strip at the right of a BGR picture [H, W, 3] that lists the classes in it.

    seg_map: [H, W], class indices. colors: [N, 3], the BGR colour of each class in the picture. If
    the list is higher than the picture, the rest below the picture is white.
    """
    from PIL import Image, ImageDraw  # late: most pictures have no legend
    labels = np.unique(seg_map).tolist()
    height, width = picture.shape[:2]
    size = int(np.clip(height / LINES, *TEXT_SIZE))
    texts = [_text(label, names) for label in labels]
    font, texts = _readable(texts, size)
    line = size + size // 2
    text_width = max((int(font.getlength(text)) for text in texts), default=0)
    strip = Image.new('RGB', (text_width + 3 * size, max(height, len(labels) * line + size)), WHITE)
    draw = ImageDraw.Draw(strip)
    for row, (label, text) in enumerate(zip(labels, texts, strict=True)):
        top = size // 2 + row * line
        swatch = (size // 2, top, size // 2 + size, top + size)
        draw.rectangle(swatch, fill=tuple(colors[label, ::-1].tolist()), outline=BLACK)
        draw.text((2 * size, top + size // 2), text, fill=BLACK, font=font, anchor='lm')
    rest = np.full((strip.height - height, width, 3), 255, np.uint8)
    return np.hstack([np.vstack([picture, rest]), np.asarray(strip)[..., ::-1]])


def _text(label: int, names: Sequence[str] | None) -> str:
    known = names is not None and label < len(names)
    return f'{label} {names[label]}' if known else str(label)


def _readable(texts: list[str], size: int) -> tuple[Any, list[str]]:
    """A font, and the texts, reduced to the class number if no font has their characters."""
    from PIL import ImageFont
    own = ImageFont.load_default(size)
    for name in (None, *FONTS):
        try:
            font = ImageFont.truetype(name, size) if name else own
        except OSError:
            continue
        if _has(font, ''.join(texts)):
            return font, texts
    lacking = [text for text in texts if not _has(own, text)]
    warn_once(f'no font that is installed has all characters of {lacking[0]!r}: the legend gives '
              f'the numbers of such classes. Install one, such as {FONTS[1]} (fonts-noto-cjk)')
    return own, [text.partition(' ')[0] if text in lacking else text for text in texts]


def _has(font: Any, text: str) -> bool:
    """Whether the font has a glyph for each character."""
    def glyph(char: str) -> tuple[tuple[int, int], list[int]]:
        mask = font.getmask(char)
        return mask.size, list(mask)

    missing = glyph('\U0010ffff')  # no character: drawn as a missing glyph
    return all(char == ' ' or glyph(char) != missing for char in set(text))
