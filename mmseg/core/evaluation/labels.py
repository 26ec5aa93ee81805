"""From the values of an annotation file to class indices."""
from collections.abc import Mapping

import numpy as np


def remap_labels(
    label: np.ndarray,
    label_map: Mapping[int, int] | None = None,
    reduce_zero_label: bool = False,
    ignore_index: int = 255,
) -> np.ndarray:
    """Apply `label_map` (old value -> class), then `reduce_zero_label`, to a copy of `label`.

    `reduce_zero_label` turns 0 into `ignore_index` and lowers the others by one; 255, the value
    of unlabelled pixels in the files, becomes `ignore_index` too. A class -1 of `label_map`
    means `ignore_index`. Without either the label itself is returned.
    """
    if not label_map and not reduce_zero_label:
        return label
    classes = {old: ignore_index if new == -1 else new for old, new in (label_map or {}).items()}
    needed = map(np.min_scalar_type, (ignore_index, *classes.values()))
    original, label = label, label.astype(np.result_type(label.dtype, *needed))
    for old, new in classes.items():
        label[original == old] = new
    if reduce_zero_label:
        unlabelled = (label == 0) | (label == 255) | (label == ignore_index)
        label -= 1
        label[unlabelled] = ignore_index
    return label
