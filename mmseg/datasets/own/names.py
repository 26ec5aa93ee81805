"""Which mask belongs to which image, by their names alone."""
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SEPARATORS = '_-. /'
_ENDS = re.compile(f'[{re.escape(SEPARATORS)}]')


@dataclass(frozen=True)
class Affix:
    """What the name of a mask has before and after that of its image."""

    before: str = ''
    after: str = ''

    def __str__(self) -> str:
        return f'{self.before}NAME{self.after}'

    def of(self, name: str) -> str:
        return f'{self.before}{name}{self.after}'

    @property
    def core(self) -> str:
        """The affix without separators."""
        return f'{self.before}{self.after}'.strip(SEPARATORS)


def match(images: Iterable[str], masks: Iterable[str]) -> tuple[dict[str, dict[Affix, str]], str]:
    """The masks of each image, by affix, and the common end of the images that was left out.

    Names may hold folders. A mask belongs to the image whose name it has, or, with a separator,
    begins or ends with; to the one with the longest name of several. Where no mask has the name of
    an image, the end that all images have in common (`_leftImg8bit`) is left out, then folders.
    """
    images, masks = list(images), list(masks)
    end = _common_end(images)
    best: tuple[dict[str, dict[Affix, str]], str] = {}, ''
    for without, whole in (('', True), (end, True), ('', False), (end, False)):
        keys = {_key(name, without, whole): name for name in images}
        if len(keys) == len(images):
            found = _attribute(keys, masks)
            if len(found) > len(best[0]):
                best = found, without
        if len(best[0]) * 2 > len(images):
            break
    return best


def common_affix(names: Iterable[str]) -> str:
    """What half of the names have after another one of them; '' where that is not one end."""
    every = list(names)
    known = set(every)
    after = Counter(affix.after for name in every for part, affix in _parts(name)
                    if part in known and part != name and not affix.before)
    end, count = next(iter(after.most_common(1)), ('', 0))
    return end if 2 * count == len(every) else ''


def _attribute(keys: dict[str, str], masks: list[str]) -> dict[str, dict[Affix, str]]:
    found: dict[str, dict[Affix, str]] = defaultdict(dict)
    for mask in masks:
        candidates = [(key, affix) for key, affix in _parts(mask) if key in keys]
        if candidates:
            key, affix = max(candidates, key=lambda candidate: len(candidate[0]))
            found[keys[key]][affix] = mask
    return dict(found)


def _parts(name: str) -> Iterator[tuple[str, Affix]]:
    """Each part of a name between separators or its ends, with what stands around it."""
    places = [found.start() for found in _ENDS.finditer(name)]
    for start in (0, *(place + 1 for place in places)):
        for end in (*places, len(name)):
            if start < end:
                yield name[start:end], Affix(name[:start], name[end:])


def _key(name: str, end: str, whole: bool) -> str:
    return (name if whole else name.rpartition('/')[2]).removesuffix(end)


def _common_end(names: list[str]) -> str:
    """The longest end, from a separator on, that all of several names have in common."""
    if len(names) < 2:
        return ''
    ends = Counter(name[found.start():] for name in names
                   for found in _ENDS.finditer(name) if name[found.start()] != '/')
    common = [end for end, count in ends.items() if count == len(names)]
    return max(common, key=len, default='')
