"""The classes of masks that hold numbers."""
from collections.abc import Collection, Mapping

from mmcv_replace.utils.errors import ConfigError, DataError

from ..masks.colour_map import IGNORED, Colour
from .class_list import ClassList
from .known_colours import BORDER, recognise
from .tally import Tally

VOID = 255  # what is ignored unless it is a class
BACKGROUND = 'background'
HOW = 'name the classes with own_data.classes (--classes), in the order of their numbers'

Decision = tuple[dict[int, int], tuple[str, ...], list[str]]


def decide_numbers(tally: Tally, ignored: Collection[int], listed: ClassList | None,
                   palette: Mapping[int, Colour]) -> Decision:
    """The class of each value, -1 where it is ignored, the names of all classes, and notes.

    Raises DataError or ConfigError where the values do not tell.
    """
    left = sorted(set(tally.keys) - set(ignored))
    meaning, names, notes = _of_list(left, listed, palette, tally) if listed is not None else (
        _without_list(left, palette, tally))
    return {**meaning, **dict.fromkeys(ignored, IGNORED)}, names, notes


def _of_list(values: list[int], listed: ClassList, palette: Mapping[int, Colour],
             tally: Tally) -> Decision:
    names, source = listed.names, [f'classes: those of {listed.source}']
    if listed.colours is not None and palette and all(
            palette.get(value) in (*listed.colours, None) for value in values):
        places = {colour: number for number, colour in enumerate(listed.colours)}
        return {value: places[palette[value]] if value in palette else IGNORED
                for value in values}, names, [*source, 'the colours of the palette tell the class']
    void_is_told = palette.get(VOID) == BORDER
    if len(names) <= 2 and _is_binary(values, void_is_told):
        if len(names) == 1:
            names = (BACKGROUND, *names)
        return _binary(values), names, source
    labelled = [value for value in values if value != VOID] if len(names) <= VOID else values
    void = {VOID: IGNORED} if VOID in values and VOID not in labelled else {}
    count = len(names)
    if labelled and (labelled != [0] or void_is_told) and labelled[-1] < count:
        return {**{value: value for value in labelled}, **void}, names, source
    if labelled and labelled[0] >= 1 and labelled[-1] == count:
        return {**{value: value - 1 for value in labelled}, **void}, names, [
            *source, 'numbered from 1: the value 1 is the first class']
    for found, more in ((labelled, void), (values, {})):
        if len(found) == count and found[-1] >= count and found != list(range(count + 1)):
            return {**{value: place for place, value in enumerate(found)}, **more}, names, [
                *source, 'the values, ascending, are the classes in the order of the list']
    raise ConfigError(_misfit(values, listed, tally))


def _misfit(values: list[int], listed: ClassList, tally: Tally) -> str:
    count = len(listed.names)
    text = (f'{listed.source} lists {count} class{"es" * (count != 1)} '
            f'({", ".join(listed.names[:8])}{", ..." * (count > 8)}), but the masks hold '
            f'{tally.describe(tally.keys)}')
    if values[:1] == [0] and values[-1] == count:
        return (f'{text}. If 0 is the background, put its name first in the list; if pixels of 0 '
                'have no class, set own_data.ignore=[0]')
    return (f'{text}. Give a name for each value, in ascending order; values without a class go '
            'to own_data.ignore')


def _without_list(values: list[int], palette: Mapping[int, Colour], tally: Tally) -> Decision:
    if _is_binary(values, palette.get(VOID) == BORDER):
        return _binary(values), (BACKGROUND, 'foreground'), [
            f'classes: {values[0]} is the background, {values[1]} the foreground ({HOW})']
    labelled = [value for value in values if value != VOID]
    void = {VOID: IGNORED} if VOID in values else {}
    if not labelled or len(labelled) == 1:
        raise DataError(f'all masks hold {tally.describe(tally.keys)} alone, which tells no class '
                        'from another: correct own_data.masks')
    known = recognise([palette[value] for value in values if value in palette])
    if known is not None and all(known[1].get(palette.get(value)) == value for value in labelled):
        return {**{value: value for value in labelled}, **void}, tuple(known[2]), [
            f'classes: numbers and palette are those of {known[0]}']
    first, last = int(labelled[0] == 1), labelled[-1]
    if labelled[0] > 1 or len(labelled) * 2 <= last - first:
        raise DataError(
            f'the masks hold {tally.describe(labelled)}, which are not the numbers 0, 1, 2, ... of '
            f'classes: {HOW}, one for each of the {len(labelled)} values in ascending order')
    names = tuple(f'class_{number}' for number in range(first, last + 1))
    notes = [f'classes: {len(names)}, by the numbers {first} to {last} in the masks ({HOW})']
    if first:
        notes.append('numbered from 1: the value 1 is the first class')
    return {**{value: value - first for value in labelled}, **void}, names, notes


def _is_binary(values: list[int], void_is_told: bool) -> bool:
    """Whether 0 and another value are two classes; 255 is none where its colour is VOC's border."""
    return len(values) == 2 and values[0] == 0 and not (void_is_told and values[1] == VOID)


def _binary(values: list[int]) -> dict[int, int]:
    return {values[0]: 0, values[1]: 1}
