"""The classes of a data set: names, colours, and label maps where only some of them are used."""
import os
from collections.abc import Sequence

import numpy as np

from mmcv_replace.fileio import list_from_file
from mmcv_replace.utils.errors import ConfigError, DataError, MissingFileError
from mmcv_replace.utils.suggest import did_you_mean, short
from mmseg.visualization.colours import distinct_colours

Palette = list[list[int]]


def read_classes(classes: str | os.PathLike | Sequence[str],
                 known: Sequence[str] | None = None) -> Sequence[str]:
    """Class names from a list or tuple of them, or a list from a text file with one name a line.

    `known`: the classes of the data set, to choose from. A string is the name of a file; where it
    is a known class too, it is refused. Raises ConfigError for anything but different known names.
    """
    names, place = classes, ''
    if isinstance(classes, str | os.PathLike):
        names, place = _read_file(os.fspath(classes), known or ()), f' (a file, {classes})'
    if not (isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)):
        raise ConfigError(f'cannot read classes={classes!r}: give a list of names, or a text file '
                          'with one name a line')
    if not names or not all(name.strip() for name in names):
        raise ConfigError(f'classes={list(names)!r}{place}: there must be one name at least, and '
                          'none of them empty')
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise ConfigError(f'classes={short(list(names))}{place}: each class must be there once, '
                          f'and {", ".join(map(repr, twice))} is there more than once')
    unknown = [] if known is None else [name for name in names if name not in known]
    if unknown:
        raise ConfigError(f'classes {short(unknown)} are not among the classes of the dataset: '
                          f'{", ".join(known)}{did_you_mean(unknown[0], known)}'
                          + (f'; the names were read from the file {classes}; a single class is '
                             f'written classes=[{classes!r}]' if place else ''))
    return names if isinstance(names, tuple) else list(names)


def _read_file(file: str, known: Sequence[str]) -> list[str]:
    one = f'for a single class write classes=[{file!r}]'
    if file in known:
        raise ConfigError(f'classes={file!r} would be the name of a text file with one class a '
                          f'line, and {file!r} is a class of the dataset: {one}, for the file '
                          f'classes={os.path.join(os.curdir, file)!r}')
    try:
        lines = list_from_file(file)
    except DataError as error:
        missing = isinstance(error.__cause__, FileNotFoundError)
        raise (MissingFileError if missing else ConfigError)(
            f'classes={file!r} is the name of a text file with one class a line, and it cannot be '
            f'read ({error}, looked for in {os.getcwd()}); {one}') from error
    # A carriage return alone ends a line too: no name of a class holds one.
    return [name.strip() for line in lines for name in line.split('\r') if name.strip()]


def check_own_classes(owner: str, classes: Sequence[str]) -> None:
    """Raise ConfigError where CLASSES of a data set is not a sequence of names.

    `('water')`, without a comma, is a string: each of its letters would be a class.
    """
    if isinstance(classes, str) or not all(isinstance(name, str) for name in classes):
        raise ConfigError(f'{owner}.CLASSES={classes!r} is not a tuple of names; that of a single '
                          f"class is written with a comma: ('water',)")


def subset_label_map(names: Sequence[str], wanted: Sequence[str], ignore_index: int,
                     reduce_zero_label: bool,
                     label_map: dict[int, int] | None = None) -> dict[int, int]:
    """Mask value -> index of its class in `wanted`, or `ignore_index` for a class not wanted.

    `label_map`: mask value -> index in `names`, where these differ. `reduce_zero_label` lowers all
    labels by one after this map, so with it both sides of the map count from 1.
    """
    shift = int(reduce_zero_label)
    places = {old + shift: wanted.index(name) + shift if name in wanted else ignore_index
              for old, name in enumerate(names)}
    if label_map is None:
        return places
    return {value: places.get(old, old) for value, old in label_map.items()}


def choose_palette(wanted: Sequence[str], palette: Sequence[Sequence[int]] | None,
                   names: Sequence[str] | None = None) -> Palette:
    """RGB colour of each name in `wanted`: from `palette`, the colours of `names`, else
    `distinct_colours`, which begin with VOC's.

    `names` are by default `wanted`. Raises ConfigError for values that are no colours, or too few.
    """
    if palette is None:
        return distinct_colours(len(wanted)).tolist()
    wrong = next((color for color in palette if not _is_rgb(color)), None)
    if wrong is not None:
        raise ConfigError(f'the palette holds {wrong!r}: a colour is a list of red, green and '
                          'blue, each from 0 to 255')
    names = wanted if names is None else names
    if len(palette) < len(names):
        raise ConfigError(f'the palette has {len(palette)} colours for {len(names)} classes: give '
                          'one RGB colour a class')
    return [list(palette[names.index(name)]) for name in wanted]


def _is_rgb(color: object) -> bool:
    try:
        values = np.asarray(color)
        return values.shape == (3,) and bool(((values >= 0) & (values <= 255)).all())
    except (TypeError, ValueError):
        return False
