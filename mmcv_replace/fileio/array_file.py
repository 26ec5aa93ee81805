"""Files of arrays that are read by rows; every page that is read is checked.

For each page of an array the file has a word, the sum of the words of the page and a number which
depends on its place, modulo 2**64. So a file that was cut off, overwritten or not yet on the disk
when the power failed is noticed where it matters, without reading all of it, and writers need not
wait for the disk.
"""
import json
import math
import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..utils.errors import DataError
from .atomic import atomic_write
from .plain_values import NUMBERS

PAGE = 4096  # bytes; arrays begin at multiples of it
# Bytes below which a file is read at once, which takes less time than to ask for parts of it.
FEW = 2**21
WORD = np.dtype('<u8')
# In front of the head: name of the format, bytes of the head, of what precedes the arrays, and of
# the file; checksum of these numbers and the head.
FORMAT = b'arrays01'
PREFIX = struct.Struct('<8sIIQI')
# Any odd numbers: the word of page i is its sum and FIRST + i * STEP.
FIRST, STEP = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)


class DamagedFileError(DataError):
    """A file that was cut off or changed since it was written."""


def write_arrays(path: str | Path, head: Mapping[str, Any], arrays: Mapping[str, np.ndarray],
                 ) -> None:
    """Write arrays [rows, ...] with a `head` for `json.dumps`; readers see all of it or nothing.

    Raises OSError where the disk does not take it, and nothing stays behind.
    """
    places, size = {}, 0
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    for name, array in contiguous.items():
        # Where the words of its pages lie, and where the pages, from the end of the head on.
        words, pages = _stored_sizes(array.nbytes)
        places[name] = [array.dtype.str, list(array.shape), size, size + words]
        size += words + pages
    text = json.dumps({'arrays': places, 'head': head}).encode()
    start = _up(PREFIX.size + len(text))
    with atomic_write(path, sync=False) as file:
        file.write(_front(text, start, start + size))
        for array in contiguous.values():
            _write_pages(file, array)


def file_size(arrays: Iterable[np.ndarray]) -> int:
    """Bytes of a file of arrays, and a head of less than a page."""
    return PAGE + sum(sum(_stored_sizes(array.nbytes)) for array in arrays)


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
        size = os.fstat(self._file.fileno()).st_size
        self._begin = np.empty(size if size < FEW else PAGE, np.uint8)
        self._fill(self._begin)
        text, self._start = _check_front(self.path, self._begin, self._file, size)
        content = json.loads(text)
        self.head: dict[str, Any] = content['head']
        self._listed = content['arrays']
        self.kinds: dict[str, tuple[np.dtype, tuple[int, ...]]] = {}
        for name, (dtype, shape, words_at, pages_at) in self._listed.items():
            kind = self.kinds[name] = np.dtype(dtype), tuple(shape)
            words, pages = _stored_sizes(kind[0].itemsize * math.prod(shape))
            if (kind[0].kind not in NUMBERS or min([*shape, words_at]) < 0
                    or pages_at != words_at + words or self._start + pages_at + pages > size):
                raise DamagedFileError(f'{self.path}: {name} does not fit into the file')

    def read(self, name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """The rows from `start` to `stop` of an array, in memory of which no other rows are, but
        those that were read of a small file.
        """
        dtype, shape = self.kinds[name]
        words_at, pages_at = self._listed[name][2:]
        start, stop, _ = slice(start, stop).indices(shape[0])
        size = dtype.itemsize * math.prod(shape[1:])
        begin, end = start * size, max(start, stop) * size
        first, last = begin // PAGE, -(-end // PAGE)
        words = self._read(words_at + first * WORD.itemsize, last - first)
        pages = self._read(pages_at + first * PAGE, (last - first) * PAGE // WORD.itemsize)
        if not np.array_equal(_sums(pages, first), words):
            raise DamagedFileError(f'{self.path}: rows {start} to {stop} of {name} have changed')
        content = pages.view(np.uint8)[begin - first * PAGE:end - first * PAGE]
        return content.view(dtype).reshape(max(0, stop - start), *shape[1:])

    def _read(self, place: int, count: int) -> np.ndarray:
        """Words at a place behind the head."""
        begin, size = self._start + place, count * WORD.itemsize
        if begin + size <= len(self._begin):
            return self._begin[begin:begin + size].view(WORD)
        words = np.empty(count, WORD)
        self._file.seek(begin)
        self._fill(words)
        return words

    def _fill(self, array: np.ndarray) -> None:
        if self._file.readinto(array) != array.nbytes:
            raise DamagedFileError(f'{self.path} is shorter than it was')

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


def _check_front(path: str | Path, begin: np.ndarray, file: IO, size: int) -> tuple[bytes, int]:
    """The text of the head, and where the arrays start.

    `begin` are the first bytes of the file of `size` bytes, which is open behind them.
    """
    front = begin[:PAGE].tobytes()
    if len(front) < PREFIX.size or not front.startswith(FORMAT):
        raise DamagedFileError(f'{path} does not begin as it should')
    _, length, start, expected, check = PREFIX.unpack_from(front)
    if expected != size or not PREFIX.size + length <= start <= size:
        raise DamagedFileError(f'{path} has {size} bytes instead of {expected}')
    if start > PAGE:
        front = begin[:start].tobytes() if start <= len(begin) else front + file.read(start - PAGE)
    text = front[PREFIX.size:PREFIX.size + length]
    if zlib.crc32(text, zlib.crc32(struct.pack('<IQ', start, size))) != check:
        raise DamagedFileError(f'{path}: the head has changed')
    return text, start


def _write_pages(file: IO, array: np.ndarray) -> None:
    """Write the words of the pages of a contiguous array, and these."""
    content = array.reshape(-1).view(np.uint8)
    whole = len(content) // PAGE * PAGE
    rest = np.zeros(_up(len(content)) - whole, np.uint8)
    rest[:len(content) - whole] = content[whole:]
    for words in (_sums(content[:whole].view(WORD), 0), _sums(rest.view(WORD), whole // PAGE)):
        file.write(words)
    file.write(bytes(_stored_sizes(len(content))[0] - _up(len(content)) // PAGE * WORD.itemsize))
    file.write(content[:whole])
    file.write(rest)


def _sums(words: np.ndarray, first: int) -> np.ndarray:
    """What is kept of each of the pages from `first` on, of which these are the words."""
    pages = words.reshape(-1, PAGE // WORD.itemsize)
    numbers = np.arange(first, first + len(pages), dtype=WORD)
    return pages.sum(axis=1, dtype=WORD) + FIRST + numbers * STEP


def _stored_sizes(size: int) -> tuple[int, int]:
    """Bytes of the words and of the pages of an array of `size` bytes."""
    return _up(_up(size) // PAGE * WORD.itemsize), _up(size)


def _up(size: int) -> int:
    """The next multiple of the page."""
    return -(-size // PAGE) * PAGE
