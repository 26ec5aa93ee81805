"""Masks in one file a class: each shows one class, and black is none."""
from collections.abc import Callable, Mapping

import numpy as np

from mmcv_replace.utils.errors import ConfigError, DataError, MissingDataError
from mmcv_replace.utils.suggest import short

from .colour_map import decode_colours

PLACE = '{class}'  # in the name of a mask: that of the class

ClassFiles = dict[str, int]
# The content of a file; raises MissingDataError where it does not exist.
Read = Callable[[str], bytes]


def read_class_files(owner: str, setting: object) -> ClassFiles | None:
    """`class_files`, the value of the class that each name in the files stands for.

    Raises ConfigError for anything but numbers from 1 on; 0 are the pixels in none of the files.
    """
    if setting is None:
        return None
    if not isinstance(setting, Mapping) or not setting:
        raise ConfigError(f"{owner}: class_files={short(setting)} is no dict such as {{'road': 1, "
                          "'car': 2}: names in the files, and the numbers of their classes")
    for name, value in setting.items():
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 255:
            raise ConfigError(f'{owner}: class_files has {name!r}: {value!r}; the number of a '
                              'class is from 1 to 255, as 0 are the pixels that no file shows')
    return {str(name): value for name, value in setting.items()}


def files_of(path: str, class_files: ClassFiles) -> dict[str, int]:
    """The files that a mask's `path` stands for, with the values of their classes."""
    if PLACE not in path:
        raise DataError(f'{path}: with class_files the name of a mask holds {PLACE}, in the place '
                        'of the class: correct seg_map_suffix or the list')
    return {path.replace(PLACE, name): value for name, value in class_files.items()}


def read_class_masks(path: str, read: Read, class_files: ClassFiles) -> tuple[np.ndarray, int]:
    """The values [H, W] uint8 of the files of a mask, and how many pixels several of them show.

    Such pixels get the class that `class_files` names last; a class without a file is not there.
    Raises MissingDataError where no file exists, and DataError for one of another size, or with
    more than one colour beside black.
    """
    label, shown, first = None, None, ''
    for file, value in files_of(path, class_files).items():
        try:
            content = read(file)
        except MissingDataError:
            continue
        inside = read_class_mask(content, file)
        if label is None:
            label, first = np.zeros(inside.shape, np.uint8), file
            shown = np.zeros(inside.shape, np.uint8)
        if inside.shape != label.shape:
            raise DataError(f'{file}: the mask is {_size(inside)} (height x width), but {first} of '
                            f'the same image {_size(label)}; make them equal')
        label[inside] = value
        shown += inside
    if label is None:
        raise MissingDataError(f'{path}: there is a file for none of the classes '
                               f'{", ".join(class_files)}; correct class_files, the folder or the '
                               'list')
    return label, int((shown > 1).sum())


def read_class_mask(content: bytes, name: str) -> np.ndarray:
    """Where [H, W] bool an encoded mask of one class is not black.

    Raises DataError for more than one colour beside black: their borders would be guessed.
    """
    colours = decode_colours(content, name)
    inside = colours != 0
    shown = colours[inside]
    if shown.size and (shown != shown[0]).any():
        number = len(np.unique(shown))
        raise DataError(f'{name}: the mask of one class holds {number:,} colours beside black, and '
                        'not one; a mask that was resized or stored with losses has no sure '
                        'border: make it again, or threshold it at half of its range')
    return inside


def _size(array: np.ndarray) -> str:
    return ' x '.join(map(str, array.shape))
