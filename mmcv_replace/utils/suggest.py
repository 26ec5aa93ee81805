"""Parts of messages: similar names, shortened values, printable file names, columns."""
import difflib
import unicodedata
from collections.abc import Iterable, Iterator

_BRACKETS = {list: '[]', tuple: '()'}
_MAX_BITS = 10_000  # of an int; Python's repr is limited to 4300 digits


def near_names(name: object, known: Iterable[object], cutoff: float = 0.6) -> list[str]:
    """Up to three of `known` that resemble `name`, the best first, ignoring case."""
    by_lower = {str(entry).lower(): str(entry) for entry in known}
    found = difflib.get_close_matches(str(name).lower(), by_lower, n=3, cutoff=cutoff)
    return [by_lower[entry] for entry in found]


def did_you_mean(name: object, known: Iterable[object], cutoff: float = 0.6) -> str:
    """A clause for an error message that suggests similar names; '' if there are none."""
    near = near_names(name, known, cutoff)
    return f'; did you mean {" or ".join(map(repr, near))}?' if near else ''


def short(value: object, width: int = 60) -> str:
    """The repr of a value, cut to `width` characters; fast for huge and for recursive values."""
    text = ''
    for piece in _repr_pieces(value):
        text += piece
        if len(text) > width:
            return f'{text[:width - 3]}...'
    return text


def _repr_pieces(value: object) -> Iterator[str]:
    """The repr of nested dicts, lists and tuples in pieces."""
    if isinstance(value, dict) or type(value) in (list, tuple):
        opening, closing = '{}' if isinstance(value, dict) else _BRACKETS[type(value)]
        yield opening
        for index, entry in enumerate(value):
            yield ', ' if index else ''
            yield from _repr_pieces(entry)
            if isinstance(value, dict):
                yield ': '
                yield from _repr_pieces(value[entry])
        yield f',{closing}' if isinstance(value, tuple) and len(value) == 1 else closing
    elif isinstance(value, int) and value.bit_length() > _MAX_BITS:
        yield f'an int of {value.bit_length()} bits'
    else:
        yield repr(value)


def printable(text: str) -> str:
    """A text with control characters, line breaks and undecodable bytes escaped.

    File names may contain any of these, which would garble a terminal or a log.
    """
    if text.isprintable():
        return text
    return ''.join(char if char.isprintable() else char.encode('unicode_escape').decode()
                   for char in text)


def pad(text: str, width: int) -> str:
    """A text with blanks up to `width` columns of a terminal."""
    return text + ' ' * (width - columns_of(text))


def columns_of(text: str) -> int:
    """The columns that a text takes in a terminal: two for a Chinese character, 0 for an accent."""
    return sum(0 if unicodedata.combining(char) else
               2 if unicodedata.east_asian_width(char) in 'WF' else 1 for char in text)
