"""Rows of .npy files."""
import math
from typing import IO

import numpy as np

from ...utils.errors import DataError


class ArrayRows:
    """Rows of the numbers of an .npy file [H, W], [H, W, C] or, with the bands first, [C, H, W]."""

    def __init__(self, file: IO[bytes], name: str, shape: tuple[int, ...], dtype: np.dtype,
                 bands_first: bool) -> None:
        """`file` is open behind the header, which gives `shape` and `dtype`."""
        self._file, self._name = file, name
        self._start = file.tell()
        self._dtype, self._shape = dtype, shape
        self._bands_first = bands_first
        self.height, self.width = shape[1:] if bands_first else shape[:2]

    def read(self, top: int, bottom: int, left: int = 0, right: int | None = None) -> np.ndarray:
        """The rows from `top` to `bottom`, between two columns."""
        if not self._bands_first:
            return self._read(top, bottom)[:, left:right]
        planes = [self._read(plane * self.height + top, plane * self.height + bottom)[:, left:right]
                  for plane in range(self._shape[0])]
        return np.stack(planes, axis=2)

    def _read(self, top: int, bottom: int) -> np.ndarray:
        """Rows of the file, counted through all planes."""
        inner = self._shape[2 if self._bands_first else 1:]
        row = math.prod(inner) * self._dtype.itemsize
        self._file.seek(self._start + top * row)
        values = np.empty((bottom - top, *inner), self._dtype)
        if self._file.readinto(values.reshape(-1).view(np.uint8)) != values.nbytes:
            raise DataError(f'{self._name}: the array is cut off: {list(self._shape)} of '
                            f'{self._dtype} are expected; fetch or make the file again')
        return np.ascontiguousarray(values, self._dtype.newbyteorder('='))
