"""Groups of images that show nearly the same, which must not be on both sides of a split.

Augmented copies are told by their names, since a crop or a turn hides what they show. Frames of a
video have names that differ in a number alone; neighbours among them are one group where their
pictures agree, by a difference hash of 64 bits (http://www.hackerfactor.com/blog/?/archives/529).
"""
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from .image_check import shrink

HASH = 8  # rows and columns of the hash
MOST_BITS = 10  # of 64 in which the hashes of two frames may differ; of other pictures about 32 do
SHOWN = 3
# `road_jpg.rf.0a1b...` is what Roboflow names its augmented copies of road.jpg.
_EXPORTED = re.compile(r'(.+)\.rf\.[0-9a-zA-Z]{8,}')
_COPY = re.compile(
    r'(.+?)(?:[_\-. ]+(?:(?:aug|augmented|copy|dup|flip|flipped|[hv]flip|flip(?:lr|ud)|mirror|'
    r'mirrored|rot|rotate|rotated|bright|dark|blur|blurred|noise|noisy|jitter)[_\-]?\d*|\(\d+\)))+',
    re.IGNORECASE)
_NUMBER = re.compile(r'\d+')


def find_groups(names: Sequence[str], files: Sequence[str]) -> list[list[str]]:
    """The names in groups, each with the names of one picture or scene; most hold one name.

    `files`: the image of each name, without a suffix in the name.
    """
    joined = _Joined(names)
    originals: dict[str, list[str]] = defaultdict(list)
    for name in names:
        originals[_original(name)].append(name)
    for group in originals.values():
        joined.join(group)
    image_of = dict(zip(names, files, strict=True))
    for frames in _sequences(names):
        hashes = [difference_hash(image_of[name]) for name in frames]
        for here, there, first, second in zip(frames, frames[1:], hashes, hashes[1:], strict=False):
            if first is not None and second is not None and (first != second).sum() <= MOST_BITS:
                joined.join([here, there])
    return joined.groups()


def difference_hash(image: str) -> np.ndarray | None:
    """Whether [64] the picture becomes brighter from each of 9 x 8 fields to the next in its row.

    None where the file cannot be decoded, and for a picture of one colour.
    """
    small = shrink(image, (HASH + 1, HASH))
    if small is None or small.min() == small.max():
        return None
    return (small[:, 1:] > small[:, :-1]).ravel()


def describe_groups(groups: Iterable[Sequence[str]]) -> str:
    """A text about the groups of several images; '' without one."""
    several = sorted((group for group in groups if len(group) > 1), key=len, reverse=True)
    if not several:
        return ''
    examples = '; '.join(f'{group[0]} to {group[-1]} ({len(group):,})' for group in several[:SHOWN])
    more = f' and {len(several) - SHOWN:,} more' if len(several) > SHOWN else ''
    return (f'{len(several):,} group{"s" * (len(several) != 1)} of near-duplicates, '
            f'{sum(map(len, several)):,} images, which stay on one side: {examples}{more}')


def _original(name: str) -> str:
    """The name without what tools add to that of an augmented copy."""
    exported = _EXPORTED.fullmatch(name)
    name = exported[1] if exported else name
    copied = _COPY.fullmatch(name)
    return copied[1] if copied else name


def _sequences(names: Iterable[str]) -> Iterable[list[str]]:
    """Names that differ in one number alone, in the order of this number."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for name in names:
        numbers = list(_NUMBER.finditer(name.rpartition('/')[2]))
        if numbers:
            start = len(name) - len(name.rpartition('/')[2]) + numbers[-1].start()
            digits = numbers[-1][0]
            found[f'{name[:start]}*{name[start + len(digits):]}'].append((int(digits), name))
    return [[name for _, name in sorted(frames)] for frames in found.values() if len(frames) > 1]


class _Joined:
    """Names that are joined to groups."""

    def __init__(self, names: Iterable[str]) -> None:
        self.parent = {name: name for name in names}

    def root(self, name: str) -> str:
        while self.parent[name] != name:
            self.parent[name] = name = self.parent[self.parent[name]]
        return name

    def join(self, group: Sequence[str]) -> None:
        """Make the names one group, whose root is its smallest name."""
        roots = sorted({self.root(name) for name in group})
        for root in roots[1:]:
            self.parent[root] = roots[0]

    def groups(self) -> list[list[str]]:
        """All groups, ordered as their names are."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.parent):
            found[self.root(name)].append(name)
        return list(found.values())
