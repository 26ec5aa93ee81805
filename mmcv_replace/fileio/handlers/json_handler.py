"""JSON."""
import json
from collections import Counter
from pathlib import Path
from typing import IO, Any

from .base import BaseFileHandler, name_of, parsing, read_text


class JsonHandler(BaseFileHandler):
    """JSON, also of NumPy's scalars and arrays, sets, ranges and paths."""

    def load_from_fileobj(self, file: IO, **kwargs: Any) -> Any:
        """The data in an open file; `kwargs` are those of `json.loads`."""
        return parse_json(read_text(file), name_of(file), **kwargs)

    def dump_to_fileobj(self, obj: Any, file: IO, **kwargs: Any) -> None:
        """Write data to an open file; `kwargs` are those of `json.dumps`."""
        file.write(self.dump_to_str(obj, **kwargs))

    def dump_to_str(self, obj: Any, **kwargs: Any) -> str:
        """The data as JSON; `kwargs` are those of `json.dumps`."""
        return json.dumps(obj, **{'default': _to_json, **kwargs})


def parse_json(text: str, name: str, unique_keys: bool = False, **options: Any) -> Any:
    """The data in a text; DataError for a text that is no JSON.

    Of a key that a mapping has twice the last value counts; with `unique_keys` it is a DataError.
    """
    if unique_keys:
        options['object_pairs_hook'] = _unique_dict
    with parsing(name, 'json'):
        return json.loads(text, **options)


def _to_json(value: Any) -> Any:
    """Convert NumPy scalars and arrays, sets, ranges and paths to types of JSON."""
    if hasattr(value, 'tolist'):
        return value.tolist()
    if isinstance(value, (set, frozenset, range)):
        return list(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f'{type(value).__name__} cannot be written as JSON: {value!r}')


def _unique_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    counts = Counter(key for key, _ in pairs)
    if len(counts) < len(pairs):
        raise ValueError(f'the key {counts.most_common(1)[0][0]!r} is there twice')
    return dict(pairs)
