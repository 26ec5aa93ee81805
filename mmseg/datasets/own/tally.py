"""The values, or colours, of all masks together: how many pixels have each, and where."""
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..masks.colour_map import Colour
from .survey import MOST, Look

Key = int | Colour


@dataclass
class Tally:
    """`pixels` and `masks` by value or colour; `most`: the file with the largest share of it."""

    pixels: Counter[Key] = field(default_factory=Counter)
    masks: Counter[Key] = field(default_factory=Counter)
    most: dict[Key, tuple[float, str]] = field(default_factory=dict)
    most_colours: tuple[int, str] = (0, '')

    def add(self, look: Look, counts: Mapping[Key, int]) -> None:
        """Count one mask."""
        self.pixels.update(counts)
        self.masks.update(counts.keys())
        for key, count in counts.items():
            share = count / look.pixels
            if share > self.most.get(key, (0.0, ''))[0]:
                self.most[key] = share, look.pair.mask
        self.most_colours = max(self.most_colours, (look.number, look.pair.mask))

    def renamed(self, name: Callable[[Key], Key]) -> 'Tally':
        """The same with other keys, which must differ as these do."""
        return Tally(*({name(key): value for key, value in table.items()}
                       for table in (self.pixels, self.masks, self.most)), self.most_colours)

    @property
    def keys(self) -> list[Any]:
        """All values or colours, ascending."""
        return sorted(self.pixels)

    @property
    def cut_off(self) -> bool:
        """Whether a mask holds more colours than were counted."""
        return self.most_colours[0] > MOST

    def describe(self, keys: Iterable[Key], most: int = 8) -> str:
        """These values with their pixels, the most frequent first."""
        found = sorted(keys, key=lambda key: -self.pixels[key])
        more = f' and {len(found) - most:,} more' if len(found) > most else ''
        return ', '.join(f'{key} ({self.pixels[key]:,} pixels, up to '
                         f'{100 * self.most[key][0]:.3g}% of {self.most[key][1]})'
                         for key in found[:most]) + more


def tally_values(looks: Sequence[Look]) -> Tally:
    """The numbers in masks that hold numbers."""
    tally = Tally()
    for look in looks:
        tally.add(look, look.values)
    return tally


def tally_colours(looks: Sequence[Look]) -> Tally:
    """The RGB colours in masks; grey ones have three equal parts."""
    tally = Tally()
    for look in looks:
        tally.add(look, colours_of(look))
    return tally


def colours_of(look: Look) -> dict[Colour, int]:
    """Pixels of each RGB colour in a mask."""
    if look.colours is not None:
        return look.colours
    return {(value,) * 3: count for value, count in look.values.items()}
