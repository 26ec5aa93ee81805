"""A store in shared memory, in which each entry is written once and read by all processes."""
import logging
import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import reduction

import numpy as np

Bytes = bytes | memoryview

ALIGNMENT = 64
# Marks an entry that a process is writing, or was writing when it died.
BUSY = -1
# Indices in front of the table of entries: bytes in use, whether a full store was reported; size.
USED, REPORTED, HEAD = 0, 1, 2


class SharedStore:
    """Up to `slots` entries of together at most `max_bytes`, written and read by worker processes.

    A forked copy, or one pickled for a new process, accesses the same store. Memory is allocated as
    entries are written. An entry that no longer fits is not stored, which is logged once.
    """

    def __init__(self, slots: int, max_bytes: int, name: str = 'the store') -> None:
        self.slots = slots
        self.name = name
        file = _new_file(name)
        start = _aligned((HEAD + slots) * 8)
        os.ftruncate(file, start + max_bytes)
        self._open(file)
        self._table[USED] = start

    def _open(self, file: int) -> None:
        self._file = file
        self._memory = mmap.mmap(file, 0)
        self._view = memoryview(self._memory)
        self._table = np.frombuffer(self._memory, np.int64, HEAD + self.slots)

    def __getstate__(self) -> tuple:
        return reduction.DupFd(self._file), self.slots, self.name

    def __setstate__(self, state: tuple) -> None:
        file, self.slots, self.name = state
        self._open(file.detach())

    def get(self, slot: int) -> list[memoryview] | None:
        """The parts of an entry, read-only; None if it is absent."""
        start = int(self._table[HEAD + slot])
        if start <= 0:
            return None
        count = int(np.frombuffer(self._memory, np.int64, 1, start)[0])
        sizes = np.frombuffer(self._memory, np.int64, count, start + 8).tolist()
        parts = []
        start += _aligned((count + 1) * 8)
        for size in sizes:
            parts.append(self._view[start:start + size].toreadonly())
            start += _aligned(size)
        return parts

    def put(self, slot: int, parts: Sequence[Bytes]) -> None:
        """Write an entry, unless it exists or does not fit."""
        sizes = [len(part) for part in parts]
        head = np.array([len(parts), *sizes], np.int64).tobytes()
        start = self._reserve(slot, sum(map(_aligned, [len(head), *sizes])))
        if start is None:
            return
        place = start
        for part in (head, *parts):
            self._view[place:place + len(part)] = part
            place += _aligned(len(part))
        with self._lock():
            self._table[HEAD + slot] = start

    def _reserve(self, slot: int, size: int) -> int | None:
        with self._lock():
            if self._table[HEAD + slot]:
                return None
            start = int(self._table[USED])
            if start + size > len(self._memory):
                self._report()
                return None
            self._table[USED] = start + size
            self._table[HEAD + slot] = BUSY
        return start

    def _report(self) -> None:
        if self._table[REPORTED]:
            return
        self._table[REPORTED] = 1
        entries = int(np.count_nonzero(self._table[HEAD:]))
        logging.getLogger('mmseg').warning(
            '%s is full: %d of %d entries are in it (%.3g GB); the others are made each time',
            self.name, entries, self.slots, len(self._memory) / 1e9)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        import fcntl  # Windows has none
        # A lock of the file is released if its process dies.
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)


def _new_file(name: str) -> int:
    """An anonymous file; in memory where possible, which does not count against /dev/shm."""
    if hasattr(os, 'memfd_create'):
        return os.memfd_create(name)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
