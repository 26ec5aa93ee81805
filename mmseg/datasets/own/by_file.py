"""The classes of masks in one file a class."""
from collections.abc import Sequence

from mmcv_replace.utils.errors import ConfigError

from ..masks.class_files import ClassFiles
from .by_number import BACKGROUND
from .class_list import ClassList


def name_files(found: Sequence[str],
               listed: ClassList | None) -> tuple[ClassFiles, tuple[str, ...]]:
    """The number of the class of each name in the files, and the names of all classes.

    Class 0 is the background, what no file shows; a file of that name is left out. Raises
    ConfigError for a list of other names than those in the files, and for numbers without a list.
    """
    names = tuple(found) if listed is None else listed.names
    if all(name.isdecimal() for name in found):
        if listed is None:
            raise ConfigError(
                f'the masks of an image are {", ".join(found)}: whether these numbers are classes '
                'or objects is not known; name the classes (own_data.classes, --classes) in their '
                'order if each number is one, else join the files of an image into one mask')
        files = dict(zip(reversed(names), sorted(found, key=int, reverse=True), strict=False))
    else:
        plain = {name.casefold(): name for name in found}
        files = {name: plain[name.casefold()] for name in names if name.casefold() in plain}
    if names[0].casefold() != BACKGROUND:
        names = (BACKGROUND, *(name for name in names if name.casefold() != BACKGROUND))
    lacking = [name for name in names[1:] if name not in files]
    unknown = set(found) - set(files.values()) - {
        name for name in found if name.casefold() == BACKGROUND}
    if lacking or unknown:
        raise ConfigError(
            f'{listed.source} lists {", ".join(listed.names)}, but the files of the masks are of '
            f'the classes {", ".join(found)}: give the list the names in the files')
    return {files[name]: number for number, name in enumerate(names) if number}, names
