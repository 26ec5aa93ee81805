"""Files of arrays that are read by rows; every row that is read is checked.

Each row is followed by a word that makes the sum of the row's words, modulo 2**64, a number which
depends on its place alone. So a file that was cut off, overwritten or not yet on the disk when the
power failed is noticed where it matters, without reading all of it, and writers need not wait for
the disk.
"""
import json
import math
import os
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..utils.errors import DataError
from .atomic import atomic_write

# Multiples at which arrays begin, in bytes: a page.
PAGE = 4096
# Bytes of rows that are prepared at a time; they fit into the processor's cache.
PART = 2**18
WORD = np.dtype('<u8')
# In front of the head: name of the format, bytes of the head, of what precedes the arrays, and of
# the file; checksum of these numbers and the head.
FORMAT = b'rowfile1'
PREFIX = struct.Struct('<8sIIQI')
# Any odd numbers: what the words of row i add up to is FIRST + i * STEP.
FIRST, STEP = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)


class DamagedFileError(DataError):
    """A file that was cut off or changed since it was written."""


def write_arrays(path: str | Path, head: Mapping[str, Any], arrays: Mapping[str, np.ndarray],
                 ) -> None:
    """Write arrays [rows, ...] with a `head` for `json.dumps`; readers see all of it or nothing.

    Raises OSError where the disk does not take it, and nothing stays behind.
    """
    places, size = {}, 0
    for name, array in arrays.items():
        places[name] = [array.dtype.str, list(array.shape), size]
        size += _pages(stored_size(array.dtype, array.shape))
    text = json.dumps({'arrays': places, 'head': head}).encode()
    start = _pages(PREFIX.size + len(text))
    with atomic_write(path, sync=False) as file:
        file.write(_front(text, start, start + size))
        for array in arrays.values():
            _write_rows(file, array)


def file_size(arrays: Iterable[np.ndarray]) -> int:
    """Bytes of a file of arrays, and a head of less than a page."""
    return PAGE + sum(_pages(stored_size(array.dtype, array.shape)) for array in arrays)


def stored_size(dtype: np.dtype, shape: Sequence[int]) -> int:
    """Bytes of the rows of an array and their checks."""
    return shape[0] * _words(_row_size(dtype, shape)) * WORD.itemsize


class ArrayFile:
    """An open file of `write_arrays`: its `head`, and `kinds`, (dtype, shape) of each array.

    Raises OSError where it cannot be read, and DamagedFileError.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self._file = open(path, 'rb', buffering=0)  # noqa: SIM115  close() ends it
        try:
            self._read_head()
        except BaseException:
            self.close()
            raise

    def _read_head(self) -> None:
        front = self._file.read(PAGE)
        text, self._start = _check_front(self.path, front, self._file)
        content = json.loads(text)
        self.head: dict[str, Any] = content['head']
        self._listed = content['arrays']
        self.kinds: dict[str, tuple[np.dtype, tuple[int, ...]]] = {}
        self._places: dict[str, int] = {}
        for name, (dtype, shape, place) in self._listed.items():
            self.kinds[name] = np.dtype(dtype), tuple(shape)
            self._places[name] = self._start + place

    def read(self, name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """The rows from `start` to `stop` of an array, in memory of their own.

        Between the rows lie the words that check them: the array is not contiguous.
        """
        dtype, shape = self.kinds[name]
        start, stop, _ = slice(start, stop).indices(shape[0])
        rows = max(0, stop - start)
        size = _row_size(dtype, shape)
        words = np.empty((rows, _words(size)), WORD)
        self._file.seek(self._places[name] + start * words.strides[0])
        if self._file.readinto(words) != words.nbytes:
            raise DamagedFileError(f'{self.path} is shorter than it was')
        if not np.array_equal(words.sum(axis=1, dtype=WORD), _sums(start, start + rows)):
            raise DamagedFileError(f'{self.path}: rows {start} to {stop} of {name} have changed')
        return words.view(np.uint8)[:, :size].view(dtype).reshape(rows, *shape[1:])

    def replace_head(self, head: Mapping[str, Any]) -> None:
        """Change the head in its place, where there is room for the new one; OSError where the
        disk refuses.

        A reader in the middle of it finds a damaged file. A file that has taken the place of this
        one stays as it is.
        """
        text = json.dumps({'arrays': self._listed, 'head': head}).encode()
        if PREFIX.size + len(text) > self._start:
            return
        status = os.fstat(self._file.fileno())
        with open(self.path, 'r+b', buffering=0) as file:
            if os.path.samestat(status, os.fstat(file.fileno())):
                file.write(_front(text, self._start, status.st_size))

    def close(self) -> None:
        """Close the file; arrays that were read stay."""
        self._file.close()

    def __enter__(self) -> 'ArrayFile':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _front(text: bytes, start: int, size: int) -> bytes:
    """What precedes the arrays, `start` bytes."""
    check = zlib.crc32(text, zlib.crc32(struct.pack('<IQ', start, size)))
    return (PREFIX.pack(FORMAT, len(text), start, size, check) + text).ljust(start, b'\0')


def _check_front(path: str | Path, front: bytes, file: IO) -> tuple[bytes, int]:
    """The text of the head, and where the arrays start; `front` is the first page."""
    size = os.fstat(file.fileno()).st_size
    if len(front) < PREFIX.size or not front.startswith(FORMAT):
        raise DamagedFileError(f'{path} does not begin as it should')
    _, length, start, expected, check = PREFIX.unpack_from(front)
    if expected != size or not PREFIX.size + length <= start <= size:
        raise DamagedFileError(f'{path} has {size} bytes instead of {expected}')
    if start > len(front):
        front += file.read(start - len(front))
    text = front[PREFIX.size:PREFIX.size + length]
    if zlib.crc32(text, zlib.crc32(struct.pack('<IQ', start, size))) != check:
        raise DamagedFileError(f'{path}: the head has changed')
    return text, start


def _write_rows(file: IO, array: np.ndarray) -> None:
    size = _row_size(array.dtype, array.shape)
    words = np.zeros((max(1, PART // max(size, 1)), _words(size)), WORD)
    for start in range(0, len(array), len(words)):
        rows = np.ascontiguousarray(array[start:start + len(words)])
        part = words[:len(rows)]
        part.view(np.uint8)[:, :size] = rows.reshape(len(rows), -1).view(np.uint8)
        part[:, -1] = 0
        part[:, -1] = _sums(start, start + len(rows)) - part.sum(axis=1, dtype=WORD)
        file.write(part)
    file.write(bytes(-stored_size(array.dtype, array.shape) % PAGE))


def _row_size(dtype: np.dtype, shape: Sequence[int]) -> int:
    return dtype.itemsize * math.prod(shape[1:])


def _sums(start: int, stop: int) -> np.ndarray:
    return FIRST + np.arange(start, stop, dtype=WORD) * STEP


def _words(size: int) -> int:
    """Words of a row of `size` bytes and its check."""
    return -(-size // WORD.itemsize) + 1


def _pages(size: int) -> int:
    return -(-size // PAGE) * PAGE
