"""A list of class names and colours beside a picture."""
from collections.abc import Sequence

import numpy as np

from .text import beside, list_colours


def add_legend(picture: np.ndarray, seg_map: np.ndarray, colors: np.ndarray,
               names: Sequence[str] | None, ignore_index: int | None = None) -> np.ndarray:
    """Add a white strip at the right of a BGR picture [H, W, 3] that lists the classes in it.

    seg_map: [H, W], class indices. colors: [N, 3], the BGR colour of each class in the picture. If
    the list is higher than the picture, the rest below the picture is white. Classes without a
    name, or with one that no font can draw, are listed by their number, and `ignore_index` as what
    is ignored.
    """
    labels = np.unique(seg_map).tolist()
    entries = [(class_text(label, names, ignore_index), colors[label, ::-1]) for label in labels]
    strip = list_colours(entries, picture.shape[0], [str(label) for label in labels])
    return beside(picture, strip)


def class_text(label: int, names: Sequence[str] | None, ignore_index: int | None = None) -> str:
    """Number and name of a class, as legends have them."""
    if label == ignore_index:
        return f'{label} (ignored)'
    known = names is not None and label < len(names)
    return f'{label} {names[label]}' if known else str(label)
