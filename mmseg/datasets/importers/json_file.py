"""JSON files of exports, and the values that must be in them."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmcv_replace.fileio import load
from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import short

_NAMES = {str: 'a text', list: 'a list', dict: 'an object', int: 'a whole number'}


def read_json(path: Path) -> Any:
    """The content of a JSON file; DataError, with its name, where it has none."""
    return load(path, 'json')


def find_file(source: Path, patterns: Sequence[str], what: str) -> Path:
    """`source` itself, or the one file in it that fits a pattern; DataError for none or several."""
    if not source.is_dir():
        return source
    found = sorted({path for pattern in patterns for path in source.glob(pattern)})
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(f'{source} holds several files that may be the {what}: '
                        f'{", ".join(path.name for path in found[:5])}; name one of them')
    raise DataError(f'{source} holds no {what} ({", ".join(patterns)}); name its file')


def need(entry: Any, key: str, kind: type | tuple[type, ...], place: str) -> Any:
    """The value of a key in a dict of an export; DataError where there is none of this type."""
    value = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool) or value == '':
        kinds = kind if isinstance(kind, tuple) else (kind,)
        told = ' or '.join(_NAMES[kind] for kind in kinds)
        shown = 'is missing' if value is None else f'is {short(value)}'
        raise DataError(f'{place}: {key!r} {shown}, and should be {told}; export again')
    return value

