"""The classes of a dataset: their names, colours, and numbers when only some of them are used."""
import os
from collections.abc import Sequence

import numpy as np

from mmcv_replace.fileio import list_from_file
from mmcv_replace.utils.errors import ConfigError, DataError
from mmcv_replace.utils.suggest import did_you_mean, short
from mmseg.core.utils import voc_colormap

Palette = list[list[int]]


def read_classes(
    classes: str | os.PathLike | Sequence[str], known: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Class names from a list of them, or from a text file with one a line.

    A text is the name of a file; that of a class in `known`, the classes of the dataset, could be
    meant as either and is refused, as is what is no list of different names.
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
    return tuple(names)


def _read_file(file: str, known: Sequence[str]) -> list[str]:
    """Names of the classes in a text file; ConfigError where a class may have been meant."""
    one = f'for a single class write classes=[{file!r}]'
    if file in known:
        raise ConfigError(f'classes={file!r} would be the name of a text file with one class a '
                          f'line, and {file!r} is a class of the dataset: {one}, for the file '
                          f'classes={os.path.join(os.curdir, file)!r}')
    try:
        lines = list_from_file(file)
    except DataError as error:
        raise ConfigError(f'classes={file!r} is the name of a text file with one class a line, and '
                          f'it cannot be read ({error}, looked for in {os.getcwd()}); {one}'
                          ) from error
    # A carriage return alone ends a line too: no name of a class holds one.
    return [name.strip() for line in lines for name in line.split('\r') if name.strip()]


def check_own_classes(owner: str, classes: Sequence[str]) -> None:
    """Raise ConfigError where CLASSES of a dataset's class is not a sequence of names.

    `('water')` is a text, and each of its letters would be a class.
    """
    if isinstance(classes, str) or not all(isinstance(name, str) for name in classes):
        raise ConfigError(f'{owner}.CLASSES={classes!r} is not a tuple of names; that of a single '
                          f"class is written with a comma: ('water',)")


def subset_label_map(
    names: Sequence[str],
    wanted: Sequence[str],
    ignore_index: int,
    reduce_zero_label: bool,
    label_map: dict[int, int] | None = None,
) -> dict[int, int]:
    """Mask value -> place of its class in `wanted`, or `ignore_index` for a class not wanted.

    `label_map` leads from mask values to `names` where these are not the same numbers. With
    `reduce_zero_label`, which comes after this map and lowers all by one, both sides count from 1.
    """
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ConfigError(f'classes {short(unknown)} are not among the classes of the dataset: '
                          f'{", ".join(names)}{did_you_mean(unknown[0], names)}')
    shift = int(reduce_zero_label)
    places = {old + shift: wanted.index(name) + shift if name in wanted else ignore_index
              for old, name in enumerate(names)}
    if label_map is None:
        return places
    return {value: places.get(old, old) for value, old in label_map.items()}


def choose_palette(
    wanted: Sequence[str],
    palette: Sequence[Sequence[int]] | None,
    names: Sequence[str] | None = None,
) -> Palette:
    """RGB colours of `wanted`, from `palette`, the colours of `names` (by default `wanted`).

    VOC's colours serve where there is no palette.
    """
    if palette is None:
        return voc_colormap(len(wanted)).tolist()
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
