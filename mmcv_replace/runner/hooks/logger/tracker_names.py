"""Names of curves and pictures for programs that accept some characters only."""
import re

LONGEST = 200  # characters; MLflow accepts 250, SwanLab 255


class TrackerNames:
    """Maps names to readable ones: `_` stands for `forbidden` characters, a regular expression.

    Slashes part a name into levels, of which none is empty or consists of dots. Two names never
    become one: a later one gets a number.
    """

    def __init__(self, forbidden: str) -> None:
        self._forbidden = re.compile(f'(?:{forbidden})+')
        self._mapped: dict[str, str] = {}
        self._taken: set[str] = set()

    def __getitem__(self, name: str) -> str:
        if name not in self._mapped:
            plain, number = self._plain(name), 1
            mapped = plain
            while mapped in self._taken:
                number += 1
                mapped = f'{plain}_{number}'
            self._mapped[name] = mapped
            self._taken.add(mapped)
        return self._mapped[name]

    def _plain(self, name: str) -> str:
        levels = [self._forbidden.sub('_', level).strip() for level in name.split('/')]
        return '/'.join(level if level.strip('.') else '_' for level in levels)[:LONGEST].rstrip(
            ' ./')
