"""The names of the classes, and their colours where a file has them."""
import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmcv_replace.utils.errors import ConfigError

from ..masks.classes import read_classes
from ..masks.colour_map import Colour, read_colour

# Files of classes that are looked for beside the masks, the first that is there.
KNOWN_FILES = ('labelmap.txt', 'label_colors.txt', 'class_dict.csv', 'classes.txt',
               'class_names.txt')


@dataclass(frozen=True)
class ClassList:
    """`colours` are None where the list has none; `source` says where it is from."""

    names: tuple[str, ...]
    colours: tuple[Colour, ...] | None
    source: str


def find_class_list(classes: str | Sequence[str] | None, masks: str) -> ClassList | None:
    """The list that `classes` names, else one beside the masks, else None.

    `classes` are names, also as a text with commas between them, or a file. Raises ConfigError for
    a list that cannot be used.
    """
    if isinstance(classes, str):
        if os.path.isfile(classes) or _is_a_path(classes):
            return _read_file(classes, f'own_data.classes={classes}')
        classes = [name.strip() for name in classes.split(',')]
    if classes is not None:
        return ClassList(tuple(read_classes(list(classes))), None, 'own_data.classes')
    for folder in (Path(masks), Path(masks).parent):
        for name in KNOWN_FILES:
            if Path(folder, name).is_file():
                return _read_file(str(Path(folder, name)), f'the file {Path(folder, name)}')
    return None


def _is_a_path(text: str) -> bool:
    return ',' not in text and (os.sep in text or Path(text).suffix.lower() in ('.txt', '.csv'))


def _read_file(file: str, source: str) -> ClassList:
    """Read names, one a line, or names with colours.

    Lines with colours are those of CVAT's labelmap.txt, `name:r,g,b:parts:actions`, of a CSV
    `name,r,g,b`, or `r g b name` and `name r g b`.
    """
    try:
        lines = Path(file).read_text(encoding='utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f'{source} cannot be read: {error}; give a text file in UTF-8 with one '
                          'class a line') from error
    lines = [line.strip() for line in lines if line.strip()]
    if any(':' in line for line in lines):
        lines = [line for line in lines if not line.startswith('#')]
    rows = [_read_line(line) for line in lines]
    if rows and rows[0][1] is None and all(colour is not None for _, colour in rows[1:]) and (
            len(rows) > 1):
        rows = rows[1:]  # the header of a CSV
    coloured = [colour for _, colour in rows if colour is not None]
    if not coloured:
        return ClassList(tuple(read_classes(file)), None, source)
    if len(coloured) < len(rows):
        name = next(name for name, colour in rows if colour is None)
        raise ConfigError(f'{source}: the line {name!r} has no colour, as the others have: write '
                          'name:R,G,B:: with numbers from 0 to 255')
    twice = [colour for colour in coloured if coloured.count(colour) > 1]
    if twice:
        names = ' and '.join(name for name, colour in rows if colour == twice[0])
        raise ConfigError(f'{source}: {names} have the same colour {twice[0]}: give each class its '
                          'own')
    try:
        names = read_classes([name for name, _ in rows])
    except ConfigError as error:
        raise ConfigError(f'{source}: {error}') from error
    return ClassList(tuple(names), tuple(coloured), source)


def _read_line(line: str) -> tuple[str, Colour | None]:
    """Name and colour in a line of a file; the whole line is the name where it has no colour."""
    if ':' in line:
        name, colour, *_ = line.split(':')
        return name.strip(), read_colour(colour)
    words = next(csv.reader([line])) if ',' in line else line.split()
    words = [word.strip() for word in words]
    for name, colour in ((words[:-3], words[-3:]), (words[3:], words[:3])):
        rgb = read_colour(','.join(colour)) if name and len(colour) == 3 else None
        if rgb is not None:
            return ' '.join(name), rgb
    return line, None


def labelmap_lines(colours: Sequence[Colour]) -> str:
    """The lines of a labelmap.txt for these colours, with names to fill in."""
    return '\n'.join(f'NAME_{place}:{",".join(map(str, colour))}::'
                     for place, colour in enumerate(colours))
