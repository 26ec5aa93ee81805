"""Stored pictures as data URIs for the page, which together take a bounded part of it."""
import base64
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from mmseg.core.evaluation.records import EvaluationRecord
from mmseg.visualization import ERROR_COLOURS, class_colours, draw_error_map, encode_picture

from .pictures import Pictures, StoredPicture, read_image, read_labels

NO_CLASS = ERROR_COLOURS['ignored']  # RGB of pixels without a class
SMALLEST = 48  # pixels of a side to which pictures are reduced

Found = tuple[EvaluationRecord, Pictures]  # an evaluation and its pictures
T = TypeVar('T')


class Painter:
    """Makes pictures whose longer side has at most `side` pixels.

    `labels`: the classes that they show, -1 for none. `size`: characters of all of them; `longest`:
    pixels of the longest side that one has.
    """

    def __init__(self, side: int) -> None:
        self.side = side
        self.labels: set[int] = set()
        self.size = self.longest = 0

    def image(self, pictures: Pictures, picture: StoredPicture) -> str | None:
        """The image; None where it is lacking or damaged."""
        bgr = read_image(pictures.folder, picture.image, self.side)
        return None if bgr is None else self._uri(bgr, 'webp')

    def maps(self, found: Found, picture: StoredPicture, columns: Sequence[str]) -> dict[str, str]:
        """Those `columns` of truth, prediction and errors; none where a file is damaged."""
        record, pictures = found
        truth, seg_map = (read_labels(pictures.folder, file, self.side)
                          for file in (picture.truth, picture.prediction))
        if truth is None or seg_map is None or truth.shape != seg_map.shape:
            return {}
        self.labels |= set(np.unique(truth).tolist()) | set(np.unique(seg_map).tolist())
        number = max(len(record.classes), len(record.palette), int(truth.max()) + 1,
                     int(seg_map.max()) + 1)
        colours = np.vstack([class_colours(record.palette or None, number), [NO_CLASS]]).astype(
            np.uint8)[:, ::-1]
        make = {'truth': lambda: colours[truth], 'prediction': lambda: colours[seg_map],
                'errors': lambda: draw_error_map(seg_map, truth, -1)}
        return {column: self._uri(make[column](), 'webp_lossless') for column in columns}

    def _uri(self, bgr: np.ndarray, format: str) -> str:
        content = base64.b64encode(encode_picture(np.ascontiguousarray(bgr), format)).decode()
        self.size += len(content)
        self.longest = max(self.longest, *bgr.shape[:2])
        return f'data:image/webp;base64,{content}'


def paint_within(limit: float, side: int, paint: Callable[[Painter], T]) -> tuple[T, Painter]:
    """What `paint` makes with a Painter of that side, or of a smaller one.

    It is smaller where the pictures would have more than about `limit` characters.
    """
    painter = Painter(side)
    made = paint(painter)
    if painter.size <= limit:
        return made, painter
    # The bytes of a picture go with its pixels, or a little less.
    painter = Painter(max(SMALLEST, math.floor(
        painter.longest * math.sqrt(limit / painter.size))))
    return paint(painter), painter
