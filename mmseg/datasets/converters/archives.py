"""Find the files of a data set in folders, in zips, and in zips inside of zips."""
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import IO

from mmcv_replace.utils.errors import DataError, MissingDataError

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError)
# A password, or a compression such as Deflate64 that Python's zipfile lacks.
UNREADABLE = (RuntimeError, NotImplementedError)
Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Member:
    """A file in a folder, or in a zip."""

    path: Path
    inside: str | None = None  # its name in the zip `path`

    def __str__(self) -> str:
        return str(self.path) if self.inside is None else f'{self.path}: {self.inside}'

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Its bytes; DataError with a remedy where the zip cannot be read."""
        try:
            if self.inside is None:
                with open(self.path, 'rb') as file:
                    yield file
            else:
                with zipfile.ZipFile(self.path) as archive, archive.open(self.inside) as file:
                    yield file
        except DAMAGED as error:
            raise DataError(f'{self}: the archive is damaged ({error}): fetch it again') from error
        except UNREADABLE as error:
            raise DataError(f'{self}: Python cannot unpack it ({error}): unpack {self.path.name} '
                            'with another program, such as 7z, and give the folder') from error

    def read(self) -> bytes:
        """All of its bytes."""
        with self.open() as file:
            return file.read()

    @contextmanager
    def on_disk(self, folder: Path) -> Iterator[Path]:
        """Its path where it is a file, otherwise that of a copy in `folder`, deleted at the end."""
        if self.inside is None:
            yield self.path
            return
        handle, name = tempfile.mkstemp(suffix=Path(self.inside).suffix, dir=folder)
        try:
            with self.open() as source, os.fdopen(handle, 'wb') as target:
                shutil.copyfileobj(source, target, 2**20)
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)


@contextmanager
def unpack_folder(tmp_dir: str | Path | None, default: Path) -> Iterator[Path]:
    """A folder in `tmp_dir`, or without one in `default`, that is deleted at the end."""
    place = default if tmp_dir is None else Path(tmp_dir)
    try:
        place.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=place)
    except OSError as error:
        raise DataError(f'cannot write to the folder {place}: {error.strerror or error}; choose '
                        'another one with --tmp_dir') from error
    with folder as name:
        yield Path(name)


def find_files(source: str | Path, patterns: Mapping[str, str], nested: str,
               folder: Path) -> dict[str, dict[Key, Member]]:
    """Files below the folder `source` whose places match: kind -> groups of its pattern -> file.

    A place is the path below `source`, in which names of archives are parts like those of folders:
    `Potsdam.zip/2_Ortho_RGB.zip/top_potsdam_2_10_RGB.tif`. `patterns` are expressions for ends of
    places; upper and lower case are the same. Zips in zips are unpacked to `folder` where `nested`
    matches their names. Of files that match alike the first counts, in the order of the names,
    unpacked ones before packed ones. Raises DataError where an archive is damaged, MissingDataError
    where there is no folder `source`.
    """
    source = Path(source)
    if not source.is_dir():
        raise MissingDataError(f'{source} is no folder; give the one with the archives')
    expressions = {kind: re.compile(f'(?:^|.*/)(?:{pattern})$', re.IGNORECASE)
                   for kind, pattern in patterns.items()}
    found: dict[str, dict[Key, Member]] = {kind: {} for kind in patterns}
    for place, member in _list_places(source, re.compile(nested, re.IGNORECASE), folder):
        for kind, expression in expressions.items():
            match = expression.match(place)
            if match:
                found[kind].setdefault(match.groups(), member)
    return found


def _list_places(source: Path, nested: re.Pattern, folder: Path) -> Iterator[tuple[str, Member]]:
    files = sorted(path for path in source.rglob('*') if path.is_file())
    zips = [path for path in files if path.suffix.lower() == '.zip']
    for path in files:
        yield path.relative_to(source).as_posix(), Member(path)
    for path in zips:
        yield from _list_zip(path, path.relative_to(source).as_posix(), nested, folder)


def _list_zip(path: Path, place: str, nested: re.Pattern, folder: Path
              ) -> Iterator[tuple[str, Member]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
    except DAMAGED as error:
        raise DataError(f'{path}: the archive is damaged ({error}): fetch it again') from error
    for name in names:
        if name.startswith('__MACOSX/'):  # what a Mac adds to the archives that it makes
            continue
        member = Member(path, name)
        # Some programs of Windows separate folders in their own way.
        yield f'{place}/{name}'.replace('\\', '/'), member
        if name.lower().endswith('.zip') and nested.search(name):
            yield from _list_zip(_unpack(member, folder), f'{place}/{name}', nested, folder)


def _unpack(member: Member, folder: Path) -> Path:
    """A copy of a zip inside of a zip, in a folder of its own, since its name is in messages."""
    name = PureWindowsPath(member.inside).name  # which knows both separators
    target = Path(tempfile.mkdtemp(dir=folder), name)
    with zipfile.ZipFile(member.path) as archive:
        needed = archive.getinfo(member.inside).file_size
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(f'{member} has {needed:,} bytes, and {folder} has {free:,} left: choose a '
                        'larger folder with --tmp_dir')
    with member.open() as source, open(target, 'wb') as file:
        shutil.copyfileobj(source, file, 2**20)
    return target
