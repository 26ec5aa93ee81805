"""Registries: the names that a config writes after `type`, and the classes they stand for."""
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from .config.config_dict import ConfigDict
from .error_origin import is_out_of_memory
from .errors import (
    BAD_VALUES,
    ArgumentError,
    ConfigError,
    RegistryError,
    UserError,
    add_note,
    has_note,
)
from .signature import check_arguments, check_values, explain_type_error
from .suggest import did_you_mean, short
from .type_check import is_annotated

_IN_PART = 'while building '


class Registry:
    """A table from names to classes (or functions) of one kind, such as backbones.

    `base`: a registered class must be a subclass of it (or, for one of collections.abc, have its
    methods). Functions are accepted everywhere, for what they build is not known before.
    `modules`: module -> names that it registers when it is imported. Such an entry belongs to the
    registry from the start; its module is imported when the entry is first asked for.
    """

    def __init__(self, name: str, base: type | None = None,
                 modules: Mapping[str, Sequence[str]] | None = None) -> None:
        self.name = name
        self.base = base
        self.modules = dict(modules or {})
        self._homes = {entry: module for module, entries in self.modules.items()
                       for entry in entries}
        self._module_dict: dict[str, Callable[..., Any]] = {}

    @property
    def module_dict(self) -> dict[str, Callable[..., Any]]:
        """The whole table; imports every entry that has not been imported yet."""
        for name in self._homes:
            self._import(name)
        return self._module_dict

    def _import(self, name: str) -> None:
        if name in self._homes and name not in self._module_dict:
            import_module(self._homes[name])

    def register_module(self, name: str | list[str] | None = None, force: bool = False,
                        module: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Enter a class under its own name or under `name` (one or several).

        A decorator, `@X.register_module()`, unless `module` is given. Raises RegistryError for a
        class of another kind, and for a name that is taken unless `force` replaces the old entry.
        """
        if callable(name):  # written without parentheses: @X.register_module
            name, module = None, name
        if module is None:
            return lambda target: self.register_module(name, force, target)
        self._check_kind(module)
        names = [name] if isinstance(name, str) else name or [module.__name__]
        for name in names:
            # A class of a user meets ours, imported or not. Where our own module registers its
            # entry, it is being imported already, and this does nothing.
            self._import(name)
            if name in self._module_dict and not force:
                raise RegistryError(
                    f'{name!r} is already in registry {self.name!r}, as '
                    f'{_full_name(self._module_dict[name])}: choose another name for '
                    f'{_full_name(module)}, or register it with force=True')
        self._module_dict.update(dict.fromkeys(names, module))
        return module

    def _check_kind(self, module: object) -> None:
        if not (inspect.isclass(module) or inspect.isroutine(module)):
            raise RegistryError(f'registry {self.name!r} holds classes and functions, '
                                f'not {module!r}')
        if self.base and inspect.isclass(module) and not issubclass(module, self.base):
            methods = ', '.join(sorted(getattr(self.base, '__abstractmethods__', ())))
            raise RegistryError(
                f'registry {self.name!r} holds subclasses of {_full_name(self.base)}'
                f'{methods and f" (with {methods})"}, and {_full_name(module)} is none: derive it '
                'from that class, or register it in the registry of its kind')

    def get(self, key: str) -> Callable[..., Any]:
        """The class registered as `key`; raises RegistryError when there is none."""
        self._import(key)
        if key in self._homes and key not in self._module_dict:
            raise RegistryError(
                f'{self._homes[key]} does not register {key!r} in registry {self.name!r}, although '
                'the table of that registry says so: put a decorator register_module() above the '
                'class, or correct the table')
        if key not in self._module_dict:
            raise RegistryError(
                f'{key!r} is not in registry {self.name!r}{did_you_mean(key, self)}\n'
                'A class of your own is known once its module is imported: add that module to '
                "the config, custom_imports = dict(imports=['package.module']).\n"
                f'Known: {", ".join(sorted(self)) or "nothing yet"}')
        return self._module_dict[key]

    def build(self, cfg: dict[str, Any], default_args: dict[str, Any] | None = None) -> Any:
        """Build the component that `cfg` describes; see `build_from_cfg`."""
        return build_from_cfg(cfg, self, default_args)

    def __contains__(self, key: object) -> bool:
        return key in self._module_dict or key in self._homes

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._homes, *self._module_dict]))

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        places = {**{name: f'{module}.{name}' for name, module in self._homes.items()},
                  **{name: _full_name(entry) for name, entry in self._module_dict.items()}}
        rows = [f'  {name:<{width}}  {places[name]}' for name in sorted(places)]
        return '\n'.join([f'Registry {self.name!r}, {len(self)} entries', *rows])


def _full_name(module: Callable[..., Any]) -> str:
    return f'{module.__module__}.{module.__qualname__}'


def build_from_cfg(cfg: dict[str, Any], registry: Registry,
                   default_args: dict[str, Any] | None = None) -> Any:
    """Call the class that `cfg['type']` names (or is) with the other entries as arguments.

    `default_args` fill in what `cfg` leaves out. Raises ArgumentError for unknown and missing
    arguments and, where the component is annotated, for values of a wrong type; raises ConfigError
    for other values from which it cannot be built. Any other error passes, with a note that names
    the component.
    """
    if not isinstance(cfg, dict):
        raise ConfigError(f"a {registry.name} is described by a dict with a 'type', not by {cfg!r}")
    args = {**(default_args or {}), **cfg}
    kind = args.pop('type', None)
    if kind is None:
        raise ConfigError(f"this {registry.name} lacks a 'type': {cfg!r}")
    if not (isinstance(kind, str) or callable(kind)):
        raise ConfigError(f"the 'type' of a {registry.name} is a name or a class, not {kind!r}")
    component = registry.get(kind) if isinstance(kind, str) else kind
    label = f'{registry.name} {kind if isinstance(kind, str) else _full_name(kind)!r}'

    def origin(key: str) -> str | None:
        return cfg.origin(key) if isinstance(cfg, ConfigDict) else None

    check_arguments(label, component, args, origin)
    try:
        built = component(**args)
    except Exception as error:
        explained = None
        if isinstance(error, TypeError) and not isinstance(error, UserError):
            explained = explain_type_error(error, label, component, args, origin)
        if explained is None and not _is_explained(error):
            check_values(label, component, args, origin)
        if explained is None and _is_bad_setting(error, component):
            explained = (ArgumentError if isinstance(error, TypeError) else ConfigError)(
                f'{label} cannot be built from {short(dict(cfg), 300)}: '
                f'{type(error).__name__}: {error}')
        if explained is not None:
            raise explained from error
        add_note(error, _IN_PART + label)
        raise
    # Last, since the component's own messages are better than the name of a type.
    check_values(label, component, args, origin)
    return built


def _is_explained(error: Exception) -> bool:
    """Whether an error is meant for users already, or comes from a component inside this one."""
    return isinstance(error, UserError) or has_note(error, _IN_PART)


def _is_bad_setting(error: Exception, component: Callable[..., Any]) -> bool:
    """Whether an error comes from the values in the config, and not from a fault of the code."""
    if _is_explained(error) or is_out_of_memory(error) or not is_annotated(component):
        return False
    # torch's own classes refuse values by errors of many kinds.
    of_torch = str(component.__module__).partition('.')[0] == 'torch'
    return isinstance(error, (*BAD_VALUES, TypeError, RuntimeError) if of_torch else BAD_VALUES)
