"""Find the images that annotations name, and put them beside the masks."""
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from mmcv_replace.image.integrity import find_truncation
from mmcv_replace.utils.errors import DataError, MissingDataError

from ..doctor.image_facts import read_facts
from ..listing.folders import file_is_there, files_below
from .raster.points import Size

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.ppm', '.gif', '.jp2')


class ImageFinder:
    """Finds images by the names that an export gives them.

    `given` is the folder that the user names, which is searched with all that is below it;
    otherwise the images are where the names say below one of `folders`, or in it.
    """

    def __init__(self, given: str | None, folders: Sequence[Path]) -> None:
        self.given = given
        self.folders = list(folders) if given is None else [check_folder(given)]
        self._below: dict[str, list[Path]] | None = None

    def find(self, place: str, *names: str) -> Path:
        """The image that has one of these names.

        MissingDataError, which begins with `place`, where there is none, or several.
        """
        plain = [plain_name(name) for name in names]
        for name in (*plain, *(PurePosixPath(name).name for name in plain)):
            for folder in self.folders:
                if file_is_there(folder / name):
                    return folder / name
        found = {path for name in plain for path in self._index().get(PurePosixPath(name).name, ())}
        if len(found) == 1:
            return found.pop()
        if found:
            raise MissingDataError(
                f'{place}: several images are called {plain[0]}: '
                f'{", ".join(map(str, sorted(found)[:3]))}; name the folder of the right ones by '
                '--images')
        looked = ', '.join(dict.fromkeys(str(path) for path in self.folders if path.is_dir()))
        raise MissingDataError(f'{place}: its image {plain[0]} is missing: looked for in {looked}; '
                               'name the folder of the images by --images')

    def _index(self) -> dict[str, list[Path]]:
        if self._below is None:
            self._below = {}
            for name in () if self.given is None else files_below(self.given):
                self._below.setdefault(PurePosixPath(name).name, []).append(Path(self.given, name))
        return self._below


def check_folder(given: str) -> Path:
    """The folder that the user names; MissingDataError where there is none."""
    if not os.path.isdir(given):
        raise MissingDataError(f'--images {given}: there is no such folder')
    return Path(given)


def plain_name(name: str) -> str:
    """A name as POSIX writes it; tools on Windows write backslashes."""
    return PureWindowsPath(name).as_posix() if '\\' in name else name


def written_name(name: str) -> str:
    """Where an image comes to lie below the written folder: its name there, never outside of it.

    Folders in the name of the export are kept, unless they lead upwards or begin at a root.
    """
    path = PurePosixPath(plain_name(name))
    if path.is_absolute() or '..' in path.parts or ':' in path.parts[0]:
        path = PurePosixPath(path.name)
    return str(path)


def mask_name(name: str) -> str:
    """The name of the mask of an image of this name."""
    return str(PurePosixPath(name).with_suffix('.png'))


def check_image(content: bytes, path: Path, stated: Size | None) -> Size:
    """Size [height, width] of an image as it is seen; DataError unless it is the one stated."""
    lack = find_truncation(content)
    facts = None if lack is not None else read_facts(content)
    if facts is None:
        raise DataError(f'{path}: {lack or "this is no image of a format that is known"}; fetch or '
                        'export it again')
    size = facts.size[::-1] if facts.turned else facts.size
    if stated is not None and tuple(stated) != size:
        seen = f'{size[1]} x {size[0]}' + (
            ' (turned by its EXIF orientation)' if facts.turned else '')
        raise DataError(f'its annotation is for an image of {stated[1]} x {stated[0]} pixels, and '
                        f'{path} has {seen}; is it the image that was labelled?')
    return size


def put_image(source: Path | bytes, target: Path) -> None:
    """Link an image, which takes no space, or copy it where links cannot be made.

    `source` may be the bytes of an image that is in no file. Raises DataError where it cannot be
    written.
    """
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, bytes):
            target.write_bytes(source)
            return
        with suppress(OSError):
            os.link(os.path.realpath(source), target)
            return
        shutil.copyfile(source, target)


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn an OSError of the block into a DataError that names what could not be written."""
    try:
        yield
    except OSError as error:
        raise DataError(f'cannot write {target}: {error.strerror or error}') from error
