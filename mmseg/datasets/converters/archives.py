"""What is in folders and archives of data sets: its name in messages, and its bytes."""
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import IO

from mmcv_replace.interrupts import cleaning_up_when_terminated
from mmcv_replace.utils.errors import DataError, UserError
from mmcv_replace.utils.suggest import printable

FOREIGN = '__MACOSX'  # a folder that archives made on a Mac have beside the data
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, LZMAError)
# A password, or a compression such as Deflate64 that Python's zipfile lacks.
UNREADABLE = (RuntimeError, NotImplementedError)
LONGEST = 200  # characters of a reason: some hold the bytes that are wrong


@dataclass(frozen=True, repr=False)
class Member:
    """A file in a folder, or in an archive."""

    path: Path
    inside: str | None = None  # its name in the archive `path`
    copy: Path | None = None  # where it lies unpacked; a member of a zip is read without

    def __str__(self) -> str:
        return str(self.path) if self.inside is None else f'{self.path}: {self.inside}'

    __repr__ = __str__

    @property
    def name(self) -> str:
        """The last part of its name."""
        return self.path.name if self.inside is None else self.inside.rpartition('/')[2]

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Its bytes; DataError with a remedy where the archive cannot be read."""
        file = self._file()
        if file is not None:
            with open(file, 'rb') as opened:
                yield opened
            return
        with reading(self, self.path), zipfile.ZipFile(self.path) as archive, \
                archive.open(self.inside) as opened:
            yield opened

    def read(self) -> bytes:
        """All of its bytes."""
        with self.open() as file:
            return file.read()

    @contextmanager
    def on_disk(self, folder: Path) -> Iterator[Path]:
        """Its path where it is a file, otherwise that of a copy in `folder`, deleted at the end."""
        file = self._file()
        if file is not None:
            yield file
            return
        handle, name = tempfile.mkstemp(suffix=Path(self.inside).suffix, dir=folder)
        try:
            with unpacking(self, folder), self.open() as source, os.fdopen(handle, 'wb') as target:
                shutil.copyfileobj(source, target, 2**20)
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _file(self) -> Path | None:
        return self.path if self.inside is None else self.copy


@contextmanager
def reading(place: object, archive: Path) -> Iterator[None]:
    """Raise DataError with a remedy where the block cannot read an `archive`.

    `place`, which is the archive or a part of it, begins the message.
    """
    try:
        yield
    except UserError:
        raise
    except UNREADABLE as error:
        raise DataError(f'{place}: Python cannot unpack it ({_reason(error)}): unpack '
                        f'{archive.name} with another program, such as 7z, and give the folder'
                        ) from error
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk; those of gzip and bz2 have no number
        raise DataError(f'{place}: the archive is damaged ({_reason(error)}): fetch it again'
                        ) from error


def _reason(error: Exception) -> str:
    text = printable(str(error) or type(error).__name__)
    return text if len(text) <= LONGEST else f'{text[:LONGEST]}...'


@contextmanager
def unpack_folder(tmp_dir: str | Path | None, default: str | Path) -> Iterator[Path]:
    """A folder in `tmp_dir`, or without one in `default`, that is deleted at the end."""
    place = Path(default if tmp_dir is None else tmp_dir)
    try:
        place.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=place)
    except OSError as error:
        raise DataError(f'cannot write to the folder {place}: {error.strerror or error}; '
                        'choose another one with --tmp_dir') from error
    with folder as name, cleaning_up_when_terminated():
        yield Path(name)


@contextmanager
def unpacking(place: object, folder: Path) -> Iterator[None]:
    """Raise DataError with a remedy where the block cannot write what `place` holds to `folder`."""
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        raise DataError(f'cannot unpack {place} to {folder}: {error.strerror or error}; choose '
                        'another folder with --tmp_dir') from error


def check_room(place: object, needed: int, folder: Path) -> None:
    """Raise DataError where `folder` has less room than what `place` unpacks to."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(f'{place} unpacks to {needed:,} bytes, and {folder} has {free:,} left: '
                        'choose a larger folder with --tmp_dir')
