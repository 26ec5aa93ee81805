"""Read text files with one entry per line."""
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

from ..utils.errors import DataError
from .file_client import FileClient


def list_from_file(filename: str | Path, prefix: str = '', offset: int = 0, max_num: int = 0,
                   encoding: str = 'utf-8', file_client_args: dict[str, Any] | None = None,
                   ) -> list[str]:
    """Lines of a text file, each with `prefix` prepended.

    Skips the first `offset` lines, and returns at most `max_num` of the others if that is not 0.
    `file_client_args` choose the place (see `FileClient`), by default the prefix of the name.
    """
    lines = _read_lines(filename, encoding, file_client_args)
    stop = offset + max_num if max_num > 0 else None
    return [prefix + line for line in lines[offset:stop]]


def dict_from_file(filename: str | Path, key_type: Callable[[str], Hashable] = str,
                   encoding: str = 'utf-8', file_client_args: dict[str, Any] | None = None,
                   ) -> dict[Hashable, str | list[str]]:
    """Values by keys from the lines 'key value ...' of a text file; several values become a list.

    `key_type` converts the keys, `file_client_args` choose the place (see `FileClient`). Raises
    DataError for a line without a value or with a bad key.
    """
    mapping: dict[Hashable, str | list[str]] = {}
    for number, line in enumerate(_read_lines(filename, encoding, file_client_args), 1):
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


def _read_lines(filename: str | Path, encoding: str,
                file_client_args: dict[str, Any] | None) -> list[str]:
    client = FileClient.infer_client(file_client_args, filename)
    try:
        text = client.get_text(filename, encoding)
    except DataError as error:
        reason = str(error).removeprefix(f'cannot read {filename}: ')
        raise type(error)(f'cannot read the list {filename}: {reason}') from error
    text = text.removeprefix('\ufeff')
    # Not splitlines(): a file name may hold characters that Unicode calls line breaks.
    lines = text.replace('\r\n', '\n').replace('\r', '\n').split('\n')
    return lines if lines[-1] else lines[:-1]
