"""Show which file or option set the values of a config."""
from collections.abc import Iterator
from typing import Any

from ..errors import ConfigKeyError
from ..suggest import columns_of, did_you_mean, pad, short
from .config_dict import PROGRAM, ConfigDict, history_of
from .merge import check_dotted, list_index, not_a_container, split_key

_WIDTH = 70  # characters of a value, in front of the origins


def explain(cfg: ConfigDict, key: str) -> str:
    """A line for each value at the dotted key: `key = value  # set by A, overridden by B`."""
    value, history = find_value(cfg, key)
    rows = [(f'{path} = {text}', _tell(past)) for path, text, past in _leaves(value, key, history)]
    width = max(columns_of(text) for text, _ in rows)
    lines = [f'{pad(text, width)}  # {origin}' for text, origin in rows]
    if isinstance(value, (dict, list, tuple)) and value:
        lines.insert(0, f'{key}: {_tell(history)}')
    return '\n'.join(lines)


def all_origins(cfg: ConfigDict, width: int = 1000) -> list[tuple[str, str, str]]:
    """Key, value and origins in words of every value that holds no dicts.

    A text of more than `width` characters is cut.
    """
    return [(path, text, _tell(past)) for key, value in cfg.items()
            for path, text, past in _leaves(value, key, history_of(cfg, key), width)]


def find_value(cfg: ConfigDict, key: str) -> tuple[Any, tuple[str, ...]]:
    """The value at a dotted key, its origins, oldest first; raises ConfigKeyError without one."""
    check_dotted(key)
    container: Any = cfg
    history: tuple[str, ...] = ()
    done: list[str] = []
    rest = key
    while rest:
        step, rest = split_key(container, rest)
        place = '.'.join(done)
        if isinstance(container, dict):
            if step not in container:
                raise ConfigKeyError(f'key {key!r}: {place or "the config"} has no {step!r}'
                                     f'{did_you_mean(step, container)} (its keys: '
                                     f'{", ".join(map(str, container)) or "none"})')
            history = history_of(container, step)
            container = container[step]
        elif isinstance(container, (list, tuple)):
            container = container[list_index(container, step, place, key)]
        else:
            raise not_a_container(container, place, key)
        done.append(step)
    return container, history


def _leaves(value: Any, path: str, history: tuple[str, ...], width: int = _WIDTH,
            ) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Path, text and origins of the values that hold no dicts."""
    if isinstance(value, ConfigDict) and value:
        for key, entry in value.items():
            yield from _leaves(entry, f'{path}.{key}', history_of(value, key), width)
    elif isinstance(value, (list, tuple)) and any(isinstance(entry, dict) for entry in value):
        for index, entry in enumerate(value):
            yield from _leaves(entry, f'{path}.{index}', history, width)
    else:
        yield path, short(value, width), history


def _tell(history: tuple[str, ...]) -> str:
    if not history:
        return f'set by {PROGRAM}'
    first, *later = history
    return ', '.join([f'set by {first}', *(f'overridden by {origin}' for origin in later)])
