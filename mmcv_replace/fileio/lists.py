"""Read text files with one entry per line."""
from collections.abc import Callable, Hashable
from pathlib import Path

from ..utils.errors import DataError
from .file_client import decode_text, read_bytes


def list_from_file(filename: str | Path, prefix: str = '', offset: int = 0,
                   max_num: int = 0) -> list[str]:
    """Lines of a text file, each with `prefix` prepended.

    Skips the first `offset` lines, and returns at most `max_num` of the others if that is not 0.
    """
    lines = _read_lines(filename)
    stop = offset + max_num if max_num > 0 else None
    return [prefix + line for line in lines[offset:stop]]


def dict_from_file(filename: str | Path, key_type: Callable[[str], Hashable] = str,
                   ) -> dict[Hashable, str | list[str]]:
    """Values by keys from the lines 'key value ...' of a text file; several values become a list.

    `key_type` converts the keys. Raises DataError for a line without a value or with a bad key.
    """
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
    text = decode_text(read_bytes(filename, 'the list '), filename)
    # Not splitlines(): a file name may hold characters that Unicode calls line breaks.
    lines = text.replace('\r\n', '\n').replace('\r', '\n').split('\n')
    return lines if lines[-1] else lines[:-1]
