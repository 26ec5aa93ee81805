"""Unpack the archives of data sets."""
import contextlib
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from lzma import LZMAError
from pathlib import Path
from typing import IO

from mmcv_replace.utils import path_inside, scandir
from mmcv_replace.utils.errors import DataError, MissingDataError

FOREIGN = '__MACOSX'  # a folder that archives made on a Mac have beside the data
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, LZMAError, RuntimeError,
           NotImplementedError)

Member = tuple[str, int, 'partial[IO[bytes]]']


@contextmanager
def unpacked(archives: Sequence[str | Path], tmp_dir: str | Path | None = None
             ) -> Iterator[list[Path]]:
    """The files of zip and tar archives, unpacked, in the order of the archives and their names.

    They lie in a new folder in `tmp_dir` (by default the system's), which is deleted when the block
    ends. A folder in place of an archive is one that is unpacked already. Raises MissingDataError
    for an archive that does not exist, and DataError for one that is damaged, or that the disk
    cannot hold.
    """
    for archive in archives:
        if not Path(archive).exists():
            raise MissingDataError(f'the archive {archive} does not exist; correct the name, or '
                                   'fetch it from the home of the data set')
    if tmp_dir is not None:
        try:
            os.makedirs(tmp_dir, exist_ok=True)
        except OSError as error:
            raise DataError(f'--tmp_dir {tmp_dir} cannot be made: {error.strerror}; choose another '
                            'folder') from error
    with tempfile.TemporaryDirectory(dir=tmp_dir) as folder:
        files = []
        for number, archive in enumerate(map(Path, archives)):
            place = archive if archive.is_dir() else Path(folder, str(number))
            if not archive.is_dir():
                _unpack(archive, place)
            files += [place / name for name in scandir(place, recursive=True)
                      if FOREIGN not in Path(name).parts]
        yield files


def _unpack(archive: Path, folder: Path) -> None:
    folder.mkdir()
    try:
        with contextlib.ExitStack() as stack:
            members = _open(archive, stack)
            _check_space(archive, folder, sum(size for _, size, _ in members))
            for name, _, open_member in members:
                target = path_inside(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with open_member() as source, open(target, 'wb') as file:
                    shutil.copyfileobj(source, file)
    except DAMAGED as error:
        raise DataError(f'the archive {archive} cannot be unpacked: {error}; fetch it again'
                        ) from error
    except OSError as error:
        raise DataError(f'cannot unpack {archive} to {folder}: {error}; choose another folder '
                        'with --tmp_dir') from error


def _open(archive: Path, stack: contextlib.ExitStack) -> list[Member]:
    """The files in an archive; links and folders are left out."""
    if zipfile.is_zipfile(archive):
        opened = stack.enter_context(zipfile.ZipFile(archive))
        return [(info.filename, info.file_size, partial(opened.open, info))
                for info in opened.infolist() if not info.is_dir()]
    try:
        opened = stack.enter_context(tarfile.open(archive))  # noqa: SIM115
    except tarfile.ReadError as error:
        raise tarfile.ReadError('it is no complete zip or tar archive') from error
    members = [(info.name, info.size, partial(opened.extractfile, info))
               for info in opened if info.isfile()]
    # A tar ends with zeros; tarfile takes a damaged or incomplete header for the end, too.
    opened.fileobj.seek(opened.offset)
    if opened.fileobj.read(tarfile.BLOCKSIZE).strip(b'\0'):
        raise tarfile.ReadError('it is cut off, or damaged')
    return members


def _check_space(archive: Path, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(f'{archive} unpacks to {needed:,} bytes, and {folder} has {free:,} left: '
                        'choose a larger folder with --tmp_dir')
