"""The text of a plan: the mapping from masks to classes, with counts, and how all was decided."""
from collections import Counter
from collections.abc import Mapping, Sequence

from mmcv_replace.utils.suggest import printable

from ..masks.colour_map import IGNORED
from .labels import Labels
from .survey import Look

ROWS = 40  # of the table
NOWHERE = 'no pixel'


def describe(labels: Labels, looks: Mapping[str, Sequence[Look]], before: Sequence[str],
             after: Sequence[str]) -> str:
    """Notes on the files, a table of values and classes with their pixels, and the split."""
    sizes = ', '.join(f'{split} {len(series):,}' for split, series in looks.items())
    lines = [*before, '', _table(labels, looks), '', *after, f'images: {sizes}',
             *_absent(labels, looks)]
    return '\n'.join(map(_printable, lines))


def _table(labels: Labels, looks: Mapping[str, Sequence[Look]]) -> str:
    from prettytable import PrettyTable
    pixels = {split: _pixels(labels, series) for split, series in looks.items()}
    totals = {split: max(count.total(), 1) for split, count in pixels.items()}
    table = PrettyTable(['in the masks', 'class', 'masks',
                         *(f'{split} pixels' for split in looks),
                         *(f'{split} %' for split in looks)])
    table.align = 'r'
    table.align['in the masks'] = table.align['class'] = 'l'
    places = {number: [key for key, place in labels.meaning.items() if place == number]
              for number in (*range(len(labels.names)), IGNORED)}
    rows = [(key, number) for number, keys in places.items()
            for key in (keys or ([None] if number != IGNORED else []))]
    for key, number in rows[:ROWS]:
        name = 'ignored' if number == IGNORED else f'{number} {labels.names[number]}'
        shown = NOWHERE if key is None else str(key)
        table.add_row([shown, name, f'{labels.tally.masks[key]:,}',
                       *(f'{count[key]:,}' for count in pixels.values()),
                       *(f'{100 * count[key] / totals[split]:.3f}'
                         for split, count in pixels.items())])
    more = '' if len(rows) <= ROWS else f'\n... and {len(rows) - ROWS:,} more'
    return table.get_string() + more


def _pixels(labels: Labels, looks: Sequence[Look]) -> Counter:
    count: Counter = Counter()
    for look in looks:
        count.update(labels.counts(look))
    return count


def _absent(labels: Labels, looks: Mapping[str, Sequence[Look]]) -> list[str]:
    """A line for each split that lacks classes which another one has."""
    shown = {split: {labels.meaning.get(key) for look in series for key in labels.counts(look)}
             for split, series in looks.items()}
    everywhere = set().union(*shown.values()) - {IGNORED, None}
    return [f'{split} has no pixel of {", ".join(labels.names[place] for place in sorted(lacking))}'
            for split, there in shown.items() if (lacking := everywhere - there)]


def _printable(line: str) -> str:
    return '\n'.join(map(printable, line.split('\n')))
