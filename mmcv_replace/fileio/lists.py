"""Text files with one entry a line."""
from collections.abc import Callable, Hashable
from pathlib import Path

from ..utils.errors import DataError


def list_from_file(filename: str | Path, prefix: str = '', offset: int = 0,
                   max_num: int = 0) -> list[str]:
    """Lines of a text file, each with `prefix` in front.

    The first `offset` lines are left out; `max_num` > 0 bounds the number of the others.
    """
    lines = _read_lines(filename)
    stop = offset + max_num if max_num > 0 else None
    return [prefix + line for line in lines[offset:stop]]


def dict_from_file(filename: str | Path, key_type: Callable[[str], Hashable] = str,
                   ) -> dict[Hashable, str | list[str]]:
    """Lines 'key value ...' of a text file; several values make a list."""
    mapping: dict[Hashable, str | list[str]] = {}
    for number, line in enumerate(_read_lines(filename), 1):
        items = line.split()
        if not items:
            continue
        if len(items) == 1:
            raise DataError(f"{filename}, line {number}: {line!r} lacks a value; a line is "
                            "'key value', or 'key value value ...'")
        try:
            key = key_type(items[0])
        except ValueError as error:
            raise DataError(f'{filename}, line {number}: bad key {items[0]!r}: {error}') from error
        mapping[key] = items[1] if len(items) == 2 else items[1:]
    return mapping


def _read_lines(filename: str | Path) -> list[str]:
    try:
        text = Path(filename).read_text(encoding='utf-8-sig')  # a byte-order mark is no content
    except UnicodeDecodeError as error:
        raise DataError(f'{filename} is not a UTF-8 text file: {error}') from error
    except (OSError, ValueError) as error:  # the latter for a NUL in the name
        reason = getattr(error, 'strerror', None) or error
        raise DataError(f'cannot read the list {filename}: {reason}') from error
    # Not splitlines(): a file name may hold characters that Unicode calls line breaks.
    lines = text.split('\n')
    if not lines[-1]:
        lines.pop()
    return lines
