"""The types of values that a config may hold."""
from typing import Any

from ..errors import ConfigError

SCALARS = (str, int, float, type(None))  # int includes bool
_MAX_VALUES = 1_000_000  # a long text counts as several values
_TEXT = 100  # characters of a text that count as one value
_MAX_DEPTH = 50
_MAX_BITS = 1000  # of an int; Python cannot write much longer ones in decimal


def check_plain(tree: dict, place: str) -> None:
    """Raise ConfigError for a value that cannot be written as text and read back.

    Allowed are None, bool, int, float, str, and lists, tuples and dicts of them, and ranges, which
    become lists.
    """
    stack: list[tuple[str, Any, int]] = [('', tree, 0)]
    count = 0
    while stack:
        key, value, depth = stack.pop()
        count += 1
        if depth > _MAX_DEPTH or count > _MAX_VALUES:
            raise ConfigError(f'{place}: {key.split(".")[0]!r} is nested too deeply, contains '
                              'itself or is too large for a config')
        if isinstance(value, dict):
            for name, entry in value.items():
                path = f'{key}.{name}' if key else str(name)
                stack += [(path, name, depth + 1), (path, entry, depth + 1)]
        elif isinstance(value, (list, tuple)):
            stack += [(f'{key}.{index}', entry, depth + 1) for index, entry in enumerate(value)]
        elif isinstance(value, range):
            stack.append((key, (value.start, value.stop, value.step), depth))
            count += len(value[:_MAX_VALUES])
        elif isinstance(value, str):
            count += len(value) // _TEXT
        elif isinstance(value, int) and value.bit_length() > _MAX_BITS:
            raise ConfigError(f'{place}: {key!r} is an int of {value.bit_length()} bits, too large '
                              'for a config')
        elif not isinstance(value, SCALARS):
            raise ConfigError(
                f'{place}: {key!r} is a {type(value).__name__}, but a config holds only numbers, '
                'strings, True, False, None, and lists, tuples and dicts of them. Convert it '
                '(str(path), array.tolist()), or begin the name with an underscore to keep it out '
                'of the config')
