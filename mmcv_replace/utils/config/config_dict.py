"""A dict with attribute access that records which file or option set each key."""
import copy
from collections.abc import Collection, Iterable
from typing import Any

from ..errors import ConfigError
from ..suggest import did_you_mean

PROGRAM = 'program code'


class MissingKeyError(ConfigError, AttributeError, KeyError):
    """Access to a key, as an item or an attribute, that the config does not have."""


class MethodNameError(ConfigError, AttributeError):
    """Setting an attribute that would hide a method."""


class ConfigDict(dict):
    """A dict whose keys are also attributes.

    Dicts in its values, also inside lists and tuples, become ConfigDicts, and ranges lists.
    """

    __slots__ = ('_origins',)
    _fields: tuple[str, ...] = ('_origins',)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        inherited = args[0]._origins if args and isinstance(args[0], ConfigDict) else {}
        self._origins: dict[Any, tuple[str, ...]] = dict(inherited)
        for values in (*args, kwargs):  # None among them is none
            for key, value in dict(values or ()).items():
                super().__setitem__(key, wrap(value))

    def origin(self, key: str) -> str | None:
        """The file or option that last set `key`; None if none did."""
        history = self._origins.get(key)
        return history[-1] if history else None

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, wrap(value))
        if key in self._origins:
            record_origin(self, key, PROGRAM)

    def __missing__(self, key: Any) -> Any:
        owner = f'the config of {self["type"]!r}' if 'type' in self else 'this config'
        raise MissingKeyError(f'{owner} has no key {key!r}{did_you_mean(key, self)} '
                              f'(its keys: {", ".join(map(str, self)) or "none"})')

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):  # a protocol of Python looks for a special method
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._fields or getattr(getattr(type(self), name, None), 'fset', None):
            object.__setattr__(self, name, value)
        elif hasattr(type(self), name):
            raise MethodNameError(f"{name!r} is a method of {type(self).__name__}; to set a key of "
                                  f"this name write cfg[{name!r}] = ...")
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Like dict.update, but a dict over a dict is merged into it, as in mmcv."""
        for key, value in dict(*args, **kwargs).items():
            current = self.get(key)
            if isinstance(value, dict) and isinstance(current, ConfigDict):
                current.update(value)
            else:
                self[key] = value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Like dict.setdefault."""
        if key not in self:
            self[key] = default
        return self[key]

    def __or__(self, other: dict) -> 'ConfigDict':
        merged = self.deepcopy()
        merged.update(other)
        return merged

    def __ior__(self, other: dict | Iterable) -> 'ConfigDict':
        self.update(other)
        return self

    def copy(self) -> 'ConfigDict':
        """A shallow copy of the same class, including the origins."""
        return copy.copy(self)

    def deepcopy(self) -> 'ConfigDict':
        """A copy that shares nothing, including the origins."""
        return copy.deepcopy(self)

    def to_dict(self) -> dict:
        """A copy in plain dicts, lists and tuples."""
        return unwrap(self)

    def __reduce__(self) -> tuple:
        # Used by copy, deepcopy and pickle.
        fields = {name: getattr(self, name) for name in self._fields}
        return type(self), (dict(self),), (None, {**fields, '_origins': dict(self._origins)})


def wrap(value: Any) -> Any:
    """Convert the plain dicts in a value to ConfigDicts, and ranges, such as mmcv's gpu_ids, to
    lists; lists and tuples are copied.
    """
    if isinstance(value, ConfigDict):
        return value
    if isinstance(value, dict):
        return ConfigDict(value)
    if isinstance(value, range):
        return list(value)
    if type(value) in (list, tuple):
        return type(value)(map(wrap, value))
    return value


def unwrap(value: Any, without: Collection[str] = ()) -> Any:
    """A copy of a value in plain dicts, lists and tuples, `without` some keys."""
    if isinstance(value, dict):
        return {key: unwrap(entry, without) for key, entry in value.items() if key not in without}
    if type(value) in (list, tuple):
        return type(value)(unwrap(entry, without) for entry in value)
    return value


def assign(cfg: ConfigDict, key: Any, value: Any, origin: str) -> None:
    """Set a key and record the origin of the value, also at the keys inside it."""
    dict.__setitem__(cfg, key, wrap_from(value, origin))
    record_origin(cfg, key, origin)


def wrap_from(value: Any, origin: str) -> Any:
    """Like `wrap`; records the origin at every key in the value."""
    value = wrap(value)
    if isinstance(value, ConfigDict):
        for key, entry in value.items():
            record_origin(value, key, origin)
            wrap_from(entry, origin)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            wrap_from(entry, origin)
    return value


def record_origin(cfg: ConfigDict, key: Any, origin: str) -> None:
    """Record that `origin` set or changed the key."""
    history = cfg._origins.get(key, ())
    if not history or history[-1] != origin:
        cfg._origins[key] = (*history, origin)


def history_of(cfg: ConfigDict, key: Any) -> tuple[str, ...]:
    """All origins of the key, the oldest first."""
    return cfg._origins.get(key, ())
