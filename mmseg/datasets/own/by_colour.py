"""The classes of masks that hold RGB colours."""
from collections.abc import Collection, Sequence

from mmcv_replace.utils.errors import ConfigError, DataError

from ..masks.colour_map import IGNORED, Colour
from .class_list import ClassList, labelmap_lines
from .known_colours import BORDER, recognise
from .settings import OwnDataSettings
from .tally import Tally

MOST = 64  # colours that are taken for classes without a list of them
NEAR = 60  # distance of a colour from that of a class, from which it is no mixture of it
BLACK = (0, 0, 0)
LISTS = ('a labelmap.txt beside the masks, or own_data.classes (--classes), tells what they mean, '
         'with lines such as')

Decision = tuple[dict[Colour, int], tuple[str, ...], list[str]]


def decide_colours(tally: Tally, ignored: Collection[Colour], listed: ClassList | None,
                   settings: OwnDataSettings) -> Decision:
    """The class of each colour, -1 where it is ignored, the names of all classes, and notes.

    Raises DataError for colours of no class, and where colours have no order among names.
    """
    colours = [colour for colour in tally.keys if colour not in ignored]
    unmeant = dict.fromkeys(ignored, IGNORED)
    if listed is not None and listed.colours is not None:
        meaning, notes = _of_list(tally, colours, listed, settings)
        return {**meaning, **unmeant}, listed.names, notes
    known = recognise(colours)
    if known is not None and (listed is None or list(listed.names) == known[2]):
        meaning = {**known[1], **{colour: IGNORED for colour in colours if colour not in known[1]}}
        notes = [f'classes: the colours are those of {known[0]}']
        if BORDER in colours and BORDER not in known[1]:
            notes.append(f'{BORDER}, the border that VOC does not label, is ignored')
        return {**meaning, **unmeant}, tuple(known[2]), notes
    if tally.cut_off or len(colours) > MOST:
        count, file = tally.most_colours
        raise DataError(
            f'the masks hold {len(colours):,} colours or more, {count:,} in {file} alone: too many '
            'for classes. Masks that were resized, smoothed or stored with losses hold mixtures; '
            f'make them again, or list the colours of the classes: {LISTS} road:128,64,128:: and '
            "set own_data.unknown_colours='ignore' for all others")
    meaning, names, notes = _by_found(colours, listed, tally)
    return {**meaning, **unmeant}, names, notes


def _of_list(tally: Tally, colours: Sequence[Colour], listed: ClassList,
             settings: OwnDataSettings) -> tuple[dict[Colour, int], list[str]]:
    meaning = {colour: number for number, colour in enumerate(listed.colours)}
    unknown = [colour for colour in colours if colour not in meaning]
    notes = [f'classes: names and colours of {listed.source}']
    if unknown and set(unknown) == {BORDER}:
        notes.append(f'{BORDER}, the border that VOC does not label, is ignored')
        return {**meaning, BORDER: IGNORED}, notes
    if (unknown or tally.cut_off) and settings.unknown_colours == 'refuse':
        raise DataError(_unknown(tally, unknown, listed))
    if unknown:
        pixels = sum(tally.pixels[colour] for colour in unknown)
        notes.append(f'ignored: {pixels:,} pixels of {_number(unknown)} of no class '
                     f'({tally.describe(unknown, 3)})')
    return {**meaning, **dict.fromkeys(unknown, IGNORED)}, notes


def _unknown(tally: Tally, unknown: Sequence[Colour], listed: ClassList) -> str:
    worst = max(unknown, key=lambda colour: tally.pixels[colour], default=BLACK)
    near = min(zip(listed.colours, listed.names, strict=True),
               key=lambda entry: sum(abs(a - b) for a, b in zip(worst, entry[0], strict=True)))
    distance = sum(abs(a - b) for a, b in zip(worst, near[0], strict=True))
    hint = (f' ({worst} is near {near[0]}, {near[1]}: was the mask resized or stored with losses?)'
            if distance < NEAR else '')
    return (f'the masks hold {_number(unknown)} (RGB) that {listed.source} does not list: '
            f'{tally.describe(unknown)}{hint}; add them to it, or to own_data.ignore, such as '
            f"ignore=['{','.join(map(str, worst))}']; own_data.unknown_colours='ignore' ignores "
            'all of them')


def _number(colours: Sequence[Colour]) -> str:
    return f'{len(colours):,} colour{"s" * (len(colours) != 1)}'


def _by_found(colours: list[Colour], listed: ClassList | None, tally: Tally) -> Decision:
    """Classes by the colours alone: two of which one is black, or without any names."""
    two = len(colours) == 2 and BLACK in colours
    if two and (listed is None or len(listed.names) <= 2):
        other = next(colour for colour in colours if colour != BLACK)
        names = ('background', 'foreground') if listed is None else (
            listed.names if len(listed.names) == 2 else ('background', *listed.names))
        return {BLACK: 0, other: 1}, names, [f'classes: black is {names[0]}, {other} {names[1]}']
    if listed is not None:
        raise ConfigError(
            f'{listed.source} lists {len(listed.names)} names without colours, and the masks hold '
            f'{len(colours)} colours (RGB), {tally.describe(colours)}; {LISTS}\n'
            f'{labelmap_lines(colours)}')
    names = tuple('colour_' + '_'.join(map(str, colour)) for colour in colours)
    return {colour: place for place, colour in enumerate(colours)}, names, [
        f'classes: one for each of the {len(colours)} colours; {LISTS} '
        f'{labelmap_lines(colours).splitlines()[0]}']
