"""Names of the outputs of images: those of the images, told apart where several are alike."""
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from .video import is_video

SHOWN = 3


@dataclass(frozen=True)
class FoundFile:
    """A file to predict."""

    path: str  # as it is opened
    name: str  # below the folder that was given, or the file name


def tell_apart(files: Sequence[FoundFile]) -> tuple[list[FoundFile], list[str], list[str]]:
    """Files with names of their own, their keys, and what a user should know about it.

    A key names a file's outputs and has no suffix, unless it would be that of another file. A file
    that was given twice is kept once. Where names of several folders are alike, all files are named
    by their path below the folder that is common to all.
    """
    told: list[str] = []
    by_place: dict[str, FoundFile] = {}
    for file in files:
        by_place.setdefault(_place(file.path), file)
    once = list(by_place.values())
    if len(once) < len(files):
        told.append(f'given more than once, and predicted once: {len(files) - len(once):,} files')
    alike = [name for name, count in Counter(file.name for file in once).items() if count > 1]
    if alike:
        common = os.path.commonpath([os.path.abspath(os.path.dirname(file.path)) for file in once])
        once = [replace(file, name=os.path.relpath(os.path.abspath(file.path), common))
                for file in once]
        told.append(f'{_listing(alike)} in several folders: outputs are named by the path below '
                    f'{common}')
    keys, whole = _keys([file.name for file in once])
    if whole:
        told.append(f'{_listing(whole)}: the names of their outputs keep the suffix, as in '
                    f'{whole[0]}.png, to differ from those of others')
    return once, keys, told


def _place(path: str) -> str:
    """The place of a file; a link to a file is an image of its own, one to a folder is not."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def _keys(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """A key of its own for each of different names, and the names that keep their suffix.

    The key of a video is no folder of others', for its frames are named like files in it.
    """
    folders = {str(folder) for name in names for folder in PurePath(name).parents}
    whole = {name for name in names if is_video(name) and _stem(name) in folders}
    while True:
        keys = [name if name in whole else _stem(name) for name in names]
        counts = Counter(keys)
        clashing = {name for name, key in zip(names, keys, strict=True) if counts[key] > 1}
        if clashing <= whole:
            return keys, sorted(whole)
        whole |= clashing


def _stem(name: str) -> str:
    return str(PurePath(name).with_suffix('')) if PurePath(name).suffix else name


def _listing(names: Sequence[str]) -> str:
    more = f' and {len(names) - SHOWN:,} more' if len(names) > SHOWN else ''
    return ', '.join(names[:SHOWN]) + more
