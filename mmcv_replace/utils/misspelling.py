"""Distinguish a misspelt name of a setting from a name that the user has chosen on purpose.

A name is misspelt if it has the same words as a known one, each of them equal or nearly so. Other
words (`model_cfg`, `max_iters`), plurals, abbreviations, other numbers, a further word or letter
(`optimizer_g`) and an underscore at the end count as chosen on purpose.
"""
import re
from collections.abc import Iterable

# Words that are correct although they are close to a word of a setting.
WORDS = frozenset(('best', 'compiled', 'compiler', 'date', 'evaluator', 'items', 'modal', 'mode',
                   'modes', 'optimize', 'optimized', 'rest', 'text'))
_LONG = 9  # letters of a word in which two errors count as misspelt
_SHORT = 4  # letters of a word in which one changed letter makes another word


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` misspells; None for a known name and for any other one."""
    names = tuple(known)
    if name in names or name.removesuffix('_') in names:
        return None
    return next((other for other in names if _letters(name) == _letters(other)),
                next((other for other in names if _is_slip(name, other)), None))


def _letters(name: str) -> str:
    return re.sub(r'[\W_]', '', name).lower()


def _words(name: str) -> list[str]:
    name = re.sub(r'(?<=[a-z])(?=[A-Z])', '_', name)
    return [word for word in re.split(r'[\W_]+', name.lower()) if word]


def _is_slip(name: str, known: str) -> bool:
    words, wanted = _words(name), _words(known)
    if words[:len(wanted)] == wanted:  # optimizer_g, modelA
        return False
    if len(words) != len(wanted):  # an underscore is missing, or there is one too many
        letters, target = _letters(name), _letters(known)
        return len(target) > 2 * _SHORT and _near(letters, target)
    return all(word == target or _near(word, target)
               for word, target in zip(words, wanted, strict=True))


def _near(word: str, target: str) -> bool:
    on_purpose = (word in WORDS or word == f'{target}s'
                  or target.startswith(word) and len(word) < len(target) - 1
                  or re.findall(r'\d', word) != re.findall(r'\d', target))
    if on_purpose:
        return False
    edits = _edits(word, target)
    if edits == 1 and sorted(word) == sorted(target):  # two letters changed places
        return True
    if len(target) < _SHORT or len(target) == _SHORT and len(word) == len(target):
        return False
    return edits <= (2 if len(target) >= _LONG else 1)


def _edits(word: str, target: str) -> int:
    """Letters to add, drop, change or swap with a neighbour: the Damerau-Levenshtein distance."""
    before, row = [], list(range(len(target) + 1))
    for i, letter in enumerate(word, 1):
        last, before = before, row
        row = [i]
        for j, other in enumerate(target, 1):
            best = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == target[j - 2] and other == word[i - 2]:
                best = min(best, last[j - 2] + 1)
            row.append(best)
    return row[-1]
