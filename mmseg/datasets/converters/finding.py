"""Find the files of a data set in folders, in zips, and in zips inside of zips."""
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath

from mmcv_replace.utils.errors import MissingDataError

from .archives import FOREIGN, Member, check_room, reading, unpacking

Key = tuple[str | None, ...]


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
    with reading(path, path), zipfile.ZipFile(path) as archive:
        names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
    for name in names:
        if name.startswith(f'{FOREIGN}/'):
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
    check_room(member, needed, folder)
    with unpacking(member, folder), member.open() as source, open(target, 'wb') as file:
        shutil.copyfileobj(source, file, 2**20)
    return target
