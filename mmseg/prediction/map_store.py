"""The label map of a large image in files, until all of it is there."""
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np

from mmseg.models.segmentors.slide import Span

BLOCK_BYTES = 2**24


class FileArray:
    """An array [H, W] in a file without a name, which is gone when it is closed."""

    def __init__(self, folder: str | Path, shape: tuple[int, int], dtype: type) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        # Read and written rather than mapped: mapped pages would count as memory of the process.
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  close() ends it

    def put(self, values: np.ndarray, top: int, columns: Span) -> None:
        """Set rows from `top` on, between columns."""
        values = np.ascontiguousarray(values, self.dtype)
        size, width = self.dtype.itemsize, self.shape[1]
        if columns == (0, width):
            values = values.reshape(1, -1)
        for place, row in enumerate(values, start=top):
            self._file.seek((place * width + columns[0]) * size)
            self._file.write(row.data)

    def read(self, top: int, bottom: int) -> np.ndarray:
        """The rows from `top` to `bottom`."""
        values = np.empty((bottom - top, self.shape[1]), self.dtype)
        self._file.seek(top * self.shape[1] * self.dtype.itemsize)
        found = self._file.readinto(values.reshape(-1).view(np.uint8))
        assert found == values.nbytes
        return values

    def blocks(self) -> Iterator[np.ndarray]:
        """All rows from top to bottom, some at a time."""
        height, width = self.shape
        rows = max(1, BLOCK_BYTES // (width * self.dtype.itemsize))
        for top in range(0, height, rows):
            yield self.read(top, min(top + rows, height))

    def close(self) -> None:
        """Give the room on the disk back."""
        self._file.close()

    def __enter__(self) -> 'FileArray':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()
