"""The names of the classes, and their colours where a file has them."""
import csv
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.suggest import short

from ..masks.classes import read_classes
from ..masks.colour_map import Colour, read_colour
from ..masks.labelmap import is_labelmap, parse_labelmap

# Files of classes that are looked for beside the masks, the first that is there.
KNOWN_FILES = ('labelmap.txt', 'label_colors.txt', 'class_dict.csv', '_classes.csv', 'classes.txt',
               'class_names.txt')
# A number and a name, as in Roboflow's _classes.csv.
_NUMBERED = re.compile(r'(\d+)\s*,\s*([^,]*\D[^,]*)')

Row = tuple[str, Colour | None]


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
    for folder in (Path(masks), Path(masks).parent, Path(masks, 'train')):
        for name in KNOWN_FILES:
            if Path(folder, name).is_file():
                return _read_file(str(Path(folder, name)), f'the file {Path(folder, name)}')
    return None


def _is_a_path(text: str) -> bool:
    return ',' not in text and (
        os.sep in text or re.fullmatch(r'\.[a-z]+', Path(text).suffix) is not None)


def _read_file(file: str, source: str) -> ClassList:
    """Read names, one a line, or names with colours.

    Lines with colours are those of CVAT's labelmap.txt, `name:r,g,b:parts:actions`, of a CSV
    `name,r,g,b`, or `r g b name` and `name r g b`. Lines with numbers are `number,name`.
    """
    try:
        lines = Path(file).read_text(encoding='utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f'{source} cannot be read: {error}; give a text file in UTF-8 with one '
                          'class a line') from error
    lines = [line.strip() for line in lines if line.strip()]
    if not lines:
        raise ConfigError(f'{source} is empty: write the name of a class into each line')
    rows = _read_labelmap(lines, source) if is_labelmap(lines) else _without_header(
        [_read_line(line) for line in lines])
    coloured = [colour for _, colour in rows if colour is not None]
    if not coloured:
        names = _numbered(lines, source) or [line for line, _ in rows]
        return ClassList(_checked(names, source), None, source)
    if len(coloured) < len(rows):
        name = next(name for name, colour in rows if colour is None)
        raise ConfigError(f'{source}: the line {name!r} has no colour, as the others have: write '
                          'name:R,G,B:: with numbers from 0 to 255')
    twice = [colour for colour in coloured if coloured.count(colour) > 1]
    if twice:
        names = ' and '.join(name for name, colour in rows if colour == twice[0])
        raise ConfigError(f'{source}: {names} have the same colour {twice[0]}: give each class its '
                          'own')
    return ClassList(_checked([name for name, _ in rows], source), tuple(coloured), source)


def _checked(names: Sequence[str], source: str) -> tuple[str, ...]:
    try:
        return tuple(read_classes(list(names)))
    except ConfigError as error:
        raise ConfigError(f'{source}: {error}') from error


def _read_labelmap(lines: Sequence[str], source: str) -> list[Row]:
    try:
        return list(parse_labelmap(lines))
    except ValueError as error:
        raise ConfigError(f'{source}: {error}; correct the line') from error


def _without_header(rows: list[Row]) -> list[Row]:
    """The rows of a CSV without the names of its columns, the only ones without a colour."""
    header = len(rows) > 1 and rows[0][1] is None and all(colour for _, colour in rows[1:])
    return rows[1:] if header else rows


def _numbered(lines: Sequence[str], source: str) -> list[str]:
    """The names in lines of a number and a name, below a header, in order; [] for other lines.

    Raises ConfigError where the numbers are not 0, 1, 2, ...
    """
    found = [_NUMBERED.fullmatch(line) for line in lines]
    if not all(found[1:]) or not found[-1]:
        return []
    numbers = {int(match[1]): match[2] for match in found if match}
    if sorted(numbers) != list(range(len(numbers))):
        raise ConfigError(f'{source}: its numbers {short(sorted(numbers))} are not 0, 1, 2, ...: '
                          'list the names alone, in the order of the values in the masks')
    return [numbers[number] for number in sorted(numbers)]


def _read_line(line: str) -> Row:
    """Name and colour in a line of a file; the whole line is the name where it has no colour."""
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
