"""Keep decoded samples in files, which all processes, jobs and later runs read."""
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmcv_replace.fileio import ArrayFile, DamagedFileError, remove_unfinished, write_arrays
from mmcv_replace.fileio.array_file import file_size
from mmcv_replace.utils.shared_store import SharedStore

from ..pipelines.base import Step
from .cache import count_decoding
from .stored_steps import StoredSteps

# Of a disk this share, and no more than so many bytes, are left to others.
RESERVED, MOST_RESERVED = 0.1, 10e9
# Seconds after which an unfinished file has no writer any more.
ABANDONED = 3600
# What is told once by all processes that share a cache; from 'full' on nothing is written.
TOLD = ('full', 'damaged', 'unfit')


class DiskCache:
    """Files of decoded samples in a `folder`, which data sets, processes and machines may share.

    `share` of the samples are kept, chosen by the hash of their names, which needs no agreement
    between the processes. Files are written once, in one step, and are read by rows. Whatever the
    disk refuses is logged once, and the run goes on without.
    """

    def __init__(self, folder: str | Path, share: float = 1.0) -> None:
        self.folder = Path(folder).expanduser()
        self._root = str(self.folder)  # joined to names faster than a Path
        self.share = share
        self._told = SharedStore(len(TOLD), 2**16, 'data.cache')
        self._swept: set[Path] = set()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._stop(f'the folder {self.folder} cannot be made ({error.strerror})')

    def replace(self, steps: Sequence[Step]) -> list[Step]:
        """The steps of a pipeline, the first of which run once for each file.

        Raises ConfigError where they cannot be cached.
        """
        number = count_decoding(steps)
        return [StoredSteps(steps[:number], self), *steps[number:]]

    def path(self, key: str) -> str:
        """The file of a sample; `key` is a hash in hexadecimal digits."""
        return os.path.join(self._root, key[:2], f'{key[2:]}.rows')

    def open(self, key: str) -> ArrayFile | None:
        """The open file of a sample, None where there is none, or a damaged one."""
        try:
            return ArrayFile(self.path(key))
        except FileNotFoundError:
            return None
        except (OSError, DamagedFileError) as error:
            self.report_damage(error)
            return None

    def report_damage(self, error: Exception) -> None:
        """Tell of a file that cannot be read, once; the sample is decoded instead."""
        self.tell('damaged', f'{error}; this sample and others like it are decoded again')

    def keep(self, key: str, head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Write the file of a sample where there is room for it."""
        if int(key[-8:], 16) >= self.share * 2**32 or self.is_told('full'):
            return
        path = Path(self.path(key))
        try:
            if file_size(arrays.values()) > self.free():
                self._stop(f'the disk of {self.folder} has no room but what is left to others')
                return
            path.parent.mkdir(exist_ok=True)
            if path.parent not in self._swept:
                self._swept.add(path.parent)
                remove_unfinished(path.parent, ABANDONED)
            write_arrays(path, head, arrays)
        except OSError as error:
            self._stop(f'{self.folder} cannot be written to ({error.strerror or error})')

    def free(self) -> int:
        """Bytes that may still be written; OSError where the folder cannot be asked."""
        usage = shutil.disk_usage(self.folder)
        return usage.free - int(min(RESERVED * usage.total, MOST_RESERVED))

    def _stop(self, why: str) -> None:
        self.tell('full', f'{why}; samples that are not in it are decoded each time')

    def is_told(self, kind: str) -> bool:
        """Whether a process has told this already."""
        return self._told.get(TOLD.index(kind)) is not None

    def tell(self, kind: str, message: str) -> None:
        """Log a warning, once of each kind in all processes of a loader."""
        if not self.is_told(kind):
            self._told.put(TOLD.index(kind), [b'told'])
            logging.getLogger('mmseg').warning('data.cache: %s', message)

