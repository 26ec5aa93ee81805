"""Apply functions of OpenCV, which take few channels, to images of any number of them."""
from collections.abc import Callable, Sequence

import numpy as np

SCALAR = 4  # channels of functions that take a value for each
ARRAY = 128  # the most channels of an array: 128 in OpenCV 5, 512 in OpenCV 4


def groups_of(count: int, most: int) -> list[slice]:
    """Slices of `count` channels, of at most `most` each."""
    return [slice(start, min(start + most, count)) for start in range(0, count, most)]


def in_groups(function: Callable[[np.ndarray, slice], np.ndarray], img: np.ndarray,
              groups: Sequence[slice]) -> np.ndarray:
    """The result of `function(part, channels)` for each group of channels, joined.

    img: [H, W] or [H, W, C], as is the result. An image of a single group is passed as it is.
    """
    if len(groups) == 1:
        return function(img, groups[0])
    return np.concatenate([np.atleast_3d(function(np.ascontiguousarray(img[..., group]), group))
                           for group in groups], axis=2)
