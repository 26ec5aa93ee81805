"""The image files below a folder."""
from collections import Counter, defaultdict
from pathlib import Path

from mmcv_replace.utils.errors import DataError, EmptyDatasetError

from ..listing.folders import files_below
from ..masks.annotation import listing
from .names import common_affix

# Formats of images and masks, in lower case.
SUFFIXES = ('.jpg', '.jpeg', '.jpe', '.png', '.bmp', '.dib', '.tif', '.tiff', '.webp', '.gif',
            '.jp2', '.ppm', '.pgm', '.pbm', '.npy', '.npz')
JPEG = ('.jpg', '.jpeg', '.jpe')
SHOWN = 3
STRANGE = '__MACOSX'  # a folder that archives of macOS add


def list_images(folder: str, setting: str, suffix: str | None = None, other: str | None = None,
                other_suffix: str | None = None) -> dict[str, str]:
    """Name -> file of each image below a folder, both relative to it, in order.

    The name is the file without the `suffix`, by default without that of its format, in upper or
    lower case. Files of the folder `other` inside this one do not count; where it is this one,
    those that end with `other_suffix` do not. `setting` is the key of the folder in messages.
    Raises EmptyDatasetError where there is none, and DataError for a name that two files have.
    """
    nested = other is not None and Path(other).is_relative_to(folder)
    found: dict[str, list[str]] = defaultdict(list)
    for file in _files(folder, SUFFIXES if suffix is None else (suffix.lower(),)):
        if _ends(file, other_suffix) if folder == other else nested and Path(
                folder, file).is_relative_to(other):
            continue
        ending = len(Path(file).suffix) if suffix is None else len(suffix)
        found[file[:len(file) - ending]].append(file)
    if not found:
        raise EmptyDatasetError(_why_empty(folder, setting, suffix))
    twice = {name: files for name, files in found.items() if len(files) > 1}
    if twice:
        name, files = next(iter(twice.items()))
        kind = 'image' if 'images' in setting else 'mask'
        raise DataError(
            f'own_data.{setting}={folder}: {" and ".join(files)} have the same name {name!r}, '
            f'{len(twice):,} in all, and which is meant is not known: set own_data.{kind}_suffix, '
            f'such as {Path(files[0]).suffix!r}, or remove one of them')
    return {name: files[0] for name, files in sorted(found.items())}


def tell_apart(folder: str, image_suffix: str | None,
               mask_suffix: str | None) -> tuple[str | None, str | None]:
    """The ends of images and of masks that lie in one folder: as given, or as the files tell.

    They are JPEGs with PNGs of the same names, or masks have the name of the image and an end more.
    Raises DataError where neither is so.
    """
    if mask_suffix is not None:
        return image_suffix, mask_suffix
    files = _files(folder, SUFFIXES)
    suffixes = Counter(Path(file).suffix for file in files)
    jpeg = [suffix for suffix in suffixes if suffix.lower() in JPEG]
    if image_suffix is None and len(suffixes) == 2 and len(jpeg) == 1:
        [image_suffix] = jpeg
    if image_suffix is not None:
        rest = {Path(file).suffix for file in files if not _ends(file, image_suffix)}
        if len(rest) == 1:
            return image_suffix, rest.pop()
    after = common_affix(file.removesuffix(Path(file).suffix) for file in files)
    ends = {file[file.rindex(after):] for file in files if after and after in file}
    if len(ends) == 1:
        return image_suffix, ends.pop()
    raise DataError(
        f'own_data: {folder} holds both images and masks, and which of its files, such as '
        f'{listing(files[:SHOWN])}, are masks is not known: set own_data.mask_suffix to the end of '
        "their names, such as '_mask.png'")


def _files(folder: str, endings: tuple[str, ...]) -> list[str]:
    files = files_below(folder, endings, case_sensitive=False,
                        remedy='correct own_data or the permissions')
    return [file for file in files if STRANGE not in Path(file).parts]


def _ends(file: str, suffix: str | None) -> bool:
    return suffix is not None and file.lower().endswith(suffix.lower())


def _why_empty(folder: str, setting: str, suffix: str | None) -> str:
    start = f'own_data.{setting}={folder} holds no image'
    if suffix is not None:
        start += f' whose name ends with {suffix!r}'
    others = Counter(Path(file).suffix for file in files_below(folder))
    if not others:
        return f'{start}: the folder is empty; correct the folder'
    told = ', '.join(f'{count:,} of {ending or "no suffix"}'
                     for ending, count in others.most_common(SHOWN))
    return (f'{start}, but files: {told}; images and masks end with {", ".join(SUFFIXES)}, in '
            'upper or lower case')
