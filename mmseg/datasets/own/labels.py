"""What the masks mean: classes, their colours, and the settings by which a data set reads them."""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mmcv_replace.utils.errors import ConfigError, DataError

from ..masks.class_files import ClassFiles
from ..masks.classes import Palette, choose_palette
from ..masks.colour_map import IGNORED, colour_key, read_colour
from .by_colour import decide_colours
from .by_number import decide_numbers
from .class_list import ClassList
from .known_colours import known_classes, recognise
from .mask_forms import check_one_form, common_palette
from .settings import OwnDataSettings
from .survey import Look
from .tally import Key, Tally, colours_of, tally_colours, tally_values

MOST = 254  # classes: beside them 255 means what is ignored


@dataclass(frozen=True)
class Labels:
    """`meaning`: the class of each value or colour in the masks, -1 where it is ignored.

    `settings` are those of CustomDataset by which it reads the masks.
    """

    names: tuple[str, ...]
    palette: Palette
    meaning: Mapping[Key, int]
    settings: dict[str, Any]
    tally: Tally
    by_colour: bool
    notes: list[str] = field(default_factory=list)

    def counts(self, look: Look) -> Mapping[Key, int]:
        """Pixels of each value or colour in a mask."""
        return colours_of(look) if self.by_colour else look.values


def decide_labels(looks: Sequence[Look], settings: OwnDataSettings,
                  listed: ClassList | None) -> Labels:
    """The meaning of masks of numbers or colours.

    Raises DataError or ConfigError, with what to do, where the files leave it open.
    """
    palette, lack = common_palette(looks)
    plain = all(look.values is not None for look in looks)
    tally = tally_values(looks) if plain and palette is not None else tally_colours(looks)
    by_colour = not plain or palette is None
    ignored, unseen = _ignored(settings, by_colour, tally)
    numbers = not by_colour or all(len(set(colour)) == 1 for colour in tally.keys)
    notes = [] if not unseen else [f'own_data.ignore: no mask holds {", ".join(unseen)}']
    if by_colour and plain:
        notes.append(f'{lack}, so their colours count, not their numbers')
    if numbers:
        grey = tally.renamed(lambda key: key[0]) if by_colour else tally
        meaning, names, more = decide_numbers(
            grey, {key[0] if by_colour else key for key in ignored}, listed, palette or {})
        meaning = {key: meaning[key[0] if by_colour else key] for key in tally.keys}
    else:
        if (listed is None or listed.colours is None) and recognise(tally.keys) is None:
            check_one_form(looks)
        meaning, names, more = decide_colours(tally, ignored, listed, settings)
    _check_number(names)
    return Labels(names, _palette(names, listed, meaning, by_colour and not numbers, palette),
                  meaning, _settings_of(meaning, by_colour, settings), tally, by_colour,
                  [*notes, *more])


def labels_of_files(looks: Sequence[Look], class_files: ClassFiles, names: tuple[str, ...],
                    listed: ClassList | None) -> Labels:
    """The meaning of masks in one file a class, whose numbers `class_files` holds."""
    tally = tally_values(looks)
    notes, overlap = [], sum(look.overlap for look in looks)
    if overlap:
        share = 100 * overlap / tally.pixels.total()
        notes.append(f'{overlap:,} pixels ({share:.3g}%) lie in the files of several classes: the '
                     'class that comes last in the list covers the others')
    meaning = {value: value for value in tally.keys}
    return Labels(names, _palette(names, listed, meaning, False, {}), meaning,
                  dict(class_files=class_files), tally, False, notes)


def _ignored(settings: OwnDataSettings, by_colour: bool,
             tally: Tally) -> tuple[set[Key], list[str]]:
    """The values or colours that `ignore` names, and those that no mask holds.

    Raises ConfigError for what is neither.
    """
    found: set[Key] = set()
    unseen = []
    for entry in settings.ignore:
        number = int(entry) if str(entry).isdecimal() else None
        key = number if not by_colour else read_colour(entry) or (
            None if number is None else (number,) * 3)
        if key is None:
            raise ConfigError(
                f'own_data.ignore holds {entry!r}, which is no '
                f'{"RGB colour such as 224,224,192" if by_colour else "number"}; the masks hold '
                f'{tally.describe(tally.keys)}')
        if key in tally.pixels:
            found.add(key)
        else:
            unseen.append(str(entry))
    return found, unseen


def _settings_of(meaning: Mapping[Key, int], by_colour: bool,
                 settings: OwnDataSettings) -> dict[str, Any]:
    if by_colour:
        others = {'*': IGNORED} if settings.unknown_colours == 'ignore' else {}
        return dict(colour_map={colour_key(colour): number for colour, number in meaning.items()}
                    | others)
    if all(number == value or (number, value) == (IGNORED, 255)
           for value, number in meaning.items()):
        return {}
    return dict(label_map=dict(meaning))


def _palette(names: Sequence[str], listed: ClassList | None, meaning: Mapping[Key, int],
             colours: bool, palette: Mapping[int, tuple[int, int, int]] | None) -> Palette:
    """The colour in which each class is painted: that of the list, the masks, or else VOC's."""
    if listed is not None and listed.colours is not None and len(listed.names) == len(names):
        return [list(colour) for colour in listed.colours]
    known = known_classes(names)
    if known is not None:
        return known
    shown = {number: key if colours else (palette or {}).get(key)
             for key, number in meaning.items() if number != IGNORED}
    found = [shown.get(number) for number in range(len(names))]
    if all(colour is not None for colour in found) and len(set(found)) == len(names):
        return [list(colour) for colour in found]
    return choose_palette(names, None)


def _check_number(names: Sequence[str]) -> None:
    if len(names) < 2:
        raise DataError(f'the masks tell one class, {", ".join(names)}, and nothing from it: a '
                        'model needs two, such as background and crack')
    if len(names) > MOST:
        raise DataError(f'the masks hold {len(names):,} classes, more than {MOST}: are these '
                        'objects or heights? own_data is for classes; a config of your own takes '
                        'more, with an ignore_index above them')
