"""A list of class names and colours beside a picture."""
from collections.abc import Sequence

import numpy as np

from .text import BLACK, Colour, beside, list_colours


def add_legend(picture: np.ndarray, seg_map: np.ndarray, colours: np.ndarray,
               names: Sequence[str] | None, ignore_index: int | None = None) -> np.ndarray:
    """Add a white strip at the right of a BGR picture [H, W, 3] that lists the classes in it.

    seg_map: [H, W], class indices. colours: [K, 3], the RGB colours of the classes. If the list is
    higher than the picture, the rest below the picture is white. Classes without a name, or with
    one that no font can draw, are listed by their number, and `ignore_index` as what is ignored.
    """
    labels = np.unique(seg_map).tolist()
    entries = [class_entry(label, colours, names, ignore_index) for label in labels]
    strip = list_colours(entries, picture.shape[0], [str(label) for label in labels])
    return beside(picture, strip)


def class_entry(label: int, colours: np.ndarray, names: Sequence[str] | None,
                ignore_index: int | None = None) -> tuple[str, Colour]:
    """The text and the RGB colour of a label in legends, as `draw_overlay` paints it."""
    known = label != ignore_index and 0 <= label < len(colours)
    return class_text(label, names, ignore_index), (
        tuple(colours[label].tolist()) if known else BLACK)


def class_text(label: int, names: Sequence[str] | None, ignore_index: int | None = None) -> str:
    """Number and name of a class, as legends have them."""
    if label == ignore_index:
        return f'{label} (ignored)'
    known = names is not None and label < len(names)
    return f'{label} {names[label]}' if known else str(label)
