"""Turn the values of an annotation file into class indices."""
from collections.abc import Mapping

import cv2
import numpy as np


def remap_labels(label: np.ndarray, label_map: Mapping[int, int] | None = None,
                 reduce_zero_label: bool = False, ignore_index: int = 255) -> np.ndarray:
    """Apply `label_map` (old value -> class), then `reduce_zero_label`, to a copy of `label`.

    label: [H, W] integers; returned itself if there is nothing to change. A class -1 in `label_map`
    stands for `ignore_index`. `reduce_zero_label` turns 0 and 255, the value of unlabelled pixels
    in the files, into `ignore_index`, and lowers the other values by one.
    """
    if not label_map and not reduce_zero_label:
        return label
    classes = {old: ignore_index if new == -1 else new for old, new in (label_map or {}).items()}
    needed = map(np.min_scalar_type, (ignore_index, *classes.values()))
    dtype = np.result_type(label.dtype, *needed)
    if label.dtype == np.uint8 and label.ndim == 2 and label.size > 256:
        # Computed once per value instead of once per pixel.
        table = _remap(np.arange(256, dtype=np.uint8), dtype, classes, reduce_zero_label,
                       ignore_index)
        return cv2.LUT(label, table) if dtype == np.uint8 else table[label]
    return _remap(label, dtype, classes, reduce_zero_label, ignore_index)


def _remap(original: np.ndarray, dtype: np.dtype, classes: Mapping[int, int],
           reduce_zero_label: bool, ignore_index: int) -> np.ndarray:
    label = original.astype(dtype)
    for old, new in classes.items():
        label[original == old] = new
    if reduce_zero_label:
        unlabelled = (label == 0) | (label == 255) | (label == ignore_index)
        label -= 1
        label[unlabelled] = ignore_index
    return label
