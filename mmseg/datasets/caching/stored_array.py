"""An array in a file, of which only the rows that are asked for are read."""
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mmcv_replace.fileio import ArrayFile, DamagedFileError


class StoredArray:
    """An array [rows, ...] of a file: `array[rows]` or `array[rows, ...]`, where rows is a slice.

    Where a row cannot be read, or has changed, the array is taken from what `make_again` returns,
    which gets the error.
    """

    def __init__(self, file: ArrayFile, name: str,
                 make_again: Callable[[Exception], Mapping[str, Any]]) -> None:
        self.dtype, self.shape = file.kinds[name]
        self.ndim = len(self.shape)
        self._file = file
        self._name = name
        self._make_again = make_again
        self._whole: np.ndarray | None = None

    def __getitem__(self, part: slice | tuple) -> np.ndarray:
        rows, *others = part if isinstance(part, tuple) else (part,)
        start, stop, step = rows.indices(self.shape[0])
        return self._read(start, stop)[(slice(None, None, step), *others)]

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._read(0, self.shape[0]), dtype)

    def _read(self, start: int, stop: int) -> np.ndarray:
        if self._whole is not None:
            return self._whole[start:stop]
        try:
            return self._file.read(self._name, start, stop)
        except (OSError, DamagedFileError) as error:
            self._whole = self._make_again(error)[self._name]
        return self._whole[start:stop]

    def close(self) -> None:
        """Close the file, which other arrays may be in as well."""
        self._file.close()
