"""Unpack the archives of data sets."""
import contextlib
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from mmcv_replace.utils import path_inside, scandir
from mmcv_replace.utils.errors import MissingDataError

from .archives import FOREIGN, Member, check_room, reading, unpack_folder, unpacking

Packed = tuple[str, int, Callable[[], IO[bytes]]]  # name, size, and what opens it


@contextmanager
def unpacked(archives: Sequence[str | Path], tmp_dir: str | Path | None = None
             ) -> Iterator[list[Member]]:
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
    with unpack_folder(tmp_dir, tempfile.gettempdir()) as folder:
        files = []
        for number, archive in enumerate(map(Path, archives)):
            place = archive if archive.is_dir() else folder / str(number)
            if not archive.is_dir():
                _unpack(archive, place)
            names = [name for name in scandir(place, recursive=True)
                     if FOREIGN not in Path(name).parts]
            files += [Member(archive / name) if place == archive else
                      Member(archive, name, place / name) for name in names]
        yield files


def _unpack(archive: Path, folder: Path) -> None:
    with unpacking(archive, folder), reading(archive, archive), contextlib.ExitStack() as stack:
        folder.mkdir()
        members = _open(archive, stack)
        check_room(archive, sum(size for _, size, _ in members), folder)
        for name, _, open_member in members:
            target = path_inside(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            with open_member() as source, open(target, 'wb') as file:
                shutil.copyfileobj(source, file)


def _open(archive: Path, stack: contextlib.ExitStack) -> list[Packed]:
    """The files in an archive; links and folders are left out."""
    if zipfile.is_zipfile(archive):
        opened = stack.enter_context(zipfile.ZipFile(archive))
        # Some programs of Windows separate folders in their own way.
        return [(info.filename.replace('\\', '/'), info.file_size, partial(opened.open, info))
                for info in opened.infolist() if not info.is_dir()]
    try:
        opened = stack.enter_context(tarfile.open(archive))  # noqa: SIM115
    except tarfile.ReadError as error:
        raise tarfile.ReadError('it is no complete zip or tar archive') from error
    members = [(info.name, info.size, partial(opened.extractfile, info))
               for info in opened if info.isfile()]
    _check_end(opened)
    return members


def _check_end(archive: tarfile.TarFile) -> None:
    """Raise an error for an archive that was cut off, or whose compression has a wrong checksum."""
    # A tar ends with zeros; tarfile takes a damaged or incomplete header for the end, too.
    archive.fileobj.seek(archive.offset)
    if archive.fileobj.read(tarfile.BLOCKSIZE).strip(b'\0'):
        raise tarfile.ReadError('it is cut off, or damaged')
    while archive.fileobj.read(2**20):  # the checksum is behind the last byte
        pass
