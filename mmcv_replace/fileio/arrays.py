"""Read arrays from .npy files."""
from pathlib import Path

import numpy as np

from ..utils.errors import DataError


def load_array(path: str | Path) -> np.ndarray:
    """The array in a .npy file; DataError for a damaged one, and for objects, whose pickles may run
    code.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except Exception as error:  # of any type, as the content is arbitrary
        raise DataError(f'{path} cannot be read as an array ({type(error).__name__}: {error}): it '
                        'is missing, damaged, or holds more than numbers') from error
    if not isinstance(array, np.ndarray):
        raise DataError(f'{path} holds several arrays, not one: write it with numpy.save')
    return array
