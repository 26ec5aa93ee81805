"""Pieces of error messages: near names and shortened values."""
import difflib
from collections.abc import Iterable


def near_names(name: object, known: Iterable[object], cutoff: float = 0.6) -> list[str]:
    """At most three of `known` that resemble `name`, best first; case does not count."""
    by_lower = {str(entry).lower(): str(entry) for entry in known}
    found = difflib.get_close_matches(str(name).lower(), by_lower, n=3, cutoff=cutoff)
    return [by_lower[entry] for entry in found]


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """A clause to append to an error message; empty when nothing is near."""
    near = near_names(name, known)
    return f'; did you mean {" or ".join(map(repr, near))}?' if near else ''


def short(value: object, width: int = 60) -> str:
    """The repr of a value, cut to `width` characters."""
    text = repr(value)
    return text if len(text) <= width else f'{text[:width - 3]}...'
