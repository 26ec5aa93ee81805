"""Merge a config into another one, and set values by dotted keys."""
from typing import Any

from ..errors import ConfigError, ConfigKeyError, ConfigTypeError
from ..logging import warn_once
from ..suggest import near_names, short
from .config_dict import PROGRAM, ConfigDict, assign, record_origin, unwrap, wrap, wrap_from

DELETE_KEY = '_delete_'


def merge_dict(base: ConfigDict, child: dict, origin: str, where: str = '',
               allow_list_keys: bool = False) -> None:
    """Merge `child` into `base` in place: dicts key by key, while other values are replaced.

    A dict with `_delete_=True` replaces that of the base. With `allow_list_keys` a dict whose keys
    are indices changes entries of a list. `where`: dotted path of `base`. Raises ConfigError for a
    dict in place of another value.
    """
    for key, value in child.items():
        if key == DELETE_KEY:
            continue
        current = base.get(key)
        path = f'{where}{key}'
        if not isinstance(value, dict) or value.get(DELETE_KEY) or current is None:
            assign(base, key, unwrap(value, (DELETE_KEY,)), origin)
        elif isinstance(current, dict):
            merge_dict(current, value, origin, f'{path}.', allow_list_keys)
        elif allow_list_keys and isinstance(current, list) and all(
                str(step).isdigit() for step in value):
            for step, entry in value.items():
                place = f'{path}.{step}'
                index = list_index(current, str(step), path, place)
                _set_item(current, index, entry, origin, place)
            record_origin(base, key, origin)
        else:
            raise ConfigTypeError(
                f'{path!r} is a dict in {origin}, but {short(current)} in '
                f'{base.origin(key) or PROGRAM}: {_remedy(path, current, value)}')


def _remedy(path: str, current: object, value: dict) -> str:
    """What to do about a dict, `value`, in place of another value."""
    if isinstance(current, list | tuple) and value and all(str(step).isdigit() for step in value):
        return ('a list is replaced as a whole here: write all its entries, or change one by the '
                f'option --cfg-options {path}.{next(iter(value))}.KEY=VALUE')
    return f'add {DELETE_KEY}=True to the dict to replace that value'


def set_option(cfg: ConfigDict, key: str, value: Any, origin: str, allow_list_keys: bool) -> None:
    """Set a dotted key, creating missing dicts on its path.

    Raises ConfigError with the key, the place where its path ends, and the value there.
    """
    check_dotted(key)
    container: Any = cfg
    holder: tuple[ConfigDict, str] | None = None  # dict and key of the list being changed
    done: list[str] = []
    rest = key
    while True:
        step, rest = split_key(container, rest)
        place = '.'.join(done)
        if isinstance(container, dict):
            if step == DELETE_KEY:
                if value:
                    container.clear()
                break
            _warn_if_near(container, step, place)
            if not rest:
                merge_dict(container, {step: value}, origin, f'{place}.' if done else '',
                           allow_list_keys)
                break
            if container.get(step) is None:
                assign(container, step, {}, origin)
            holder, container = (container, step), container[step]
        elif isinstance(container, list) and allow_list_keys:
            index = list_index(container, step, place, key)
            if not rest:
                _set_item(container, index, value, origin, key)
                break
            container[index] = container = wrap(container[index])
        else:
            raise not_a_container(container, place, key)
        done.append(step)
    if isinstance(container, list) and holder is not None:
        record_origin(*holder, origin)


def check_dotted(key: str) -> None:
    """Raise ConfigError for a dotted key with an empty part."""
    if not all(key.split('.')):
        raise ConfigError(f'key {key!r}: an empty name between its dots')


def split_key(container: Any, path: str) -> tuple[str, str]:
    """First key of a dotted path and the rest; the key may itself contain dots."""
    if isinstance(container, dict):
        parts = path.split('.')
        for count in range(len(parts), 1, -1):
            step = '.'.join(parts[:count])
            if step in container:
                return step, '.'.join(parts[count:])
    step, _, rest = path.partition('.')
    return step, rest


def list_index(items: list | tuple, step: str, place: str, key: str) -> int:
    """The index that `step` of the dotted key means; raises ConfigError if it is not valid."""
    is_number = step.isascii() and step.isdigit()
    if not is_number or len(step) > 9 or int(step) >= len(items):
        allowed = f'an index from 0 to {len(items) - 1}' if items else 'nothing: it is empty'
        raise (ConfigKeyError if is_number else ConfigTypeError)(
            f'key {key!r}: {place!r} is a list of {len(items)}, so the next step is {allowed}, '
            f'not {step!r}')
    return int(step)


def not_a_container(value: Any, place: str, key: str) -> ConfigError:
    """The error for a dotted key that continues behind a value without parts."""
    return ConfigTypeError(f'key {key!r}: {place!r} is {short(value)}, which has no parts; give '
                           f'{place!r} itself a new value')


def _set_item(items: list, index: int, value: Any, origin: str, place: str) -> None:
    current = wrap(items[index])
    if isinstance(value, dict) and isinstance(current, dict) and not value.get(DELETE_KEY):
        merge_dict(current, value, origin, f'{place}.', allow_list_keys=True)
        items[index] = current
    else:
        items[index] = wrap_from(unwrap(value, (DELETE_KEY,)), origin)


def _warn_if_near(container: dict, step: str, place: str) -> None:
    near = [] if step in container else near_names(step, container, cutoff=0.8)
    if near:
        prefix = f'{place}.' if place else ''
        warn_once(f'option {prefix + step!r} is a new key; did you mean {prefix + near[0]!r}?')
