"""Registries: the names that a config writes after `type`, and the classes they stand for."""
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from ..errors import RegistryError, RegistryTypeError
from ..misc.deprecation import warn_of_old_name
from ..misc.sequences import is_seq_of
from ..suggest import did_you_mean
from .build import build_from_cfg, full_name
from .scopes import Scoped

Entry = Callable[..., Any]


class Registry(Scoped):
    """A table from names to classes (or functions) of one kind, such as backbones.

    `build_func(cfg, registry=..., **kwargs)` builds a component: by default that of the parent, or
    `build_from_cfg`. `parent`, `scope`: see Scoped; the scope is the package that makes the
    registry.
    `base`: a registered class must be a subclass of it (or, for one of collections.abc, have its
    methods). Functions are accepted everywhere, for what they build is not known before.
    `modules`: module -> names that it registers when it is imported. Such an entry belongs to the
    registry from the start; its module is imported when the entry is first asked for.
    """

    def __init__(self, name: str, build_func: Callable[..., Any] | None = None,
                 parent: 'Registry | None' = None, scope: str | None = None, *,
                 base: type | None = None,
                 modules: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(name, parent, self.infer_scope() if scope is None else scope)
        inherited = build_from_cfg if parent is None else parent.build_func
        self.build_func = build_func or inherited
        self.base = base
        self.modules: dict[str, Sequence[str]] = {}
        self._homes: dict[str, str] = {}
        self._module_dict: dict[str, Entry] = {}
        self.add_modules(modules or {})

    def add_modules(self, modules: Mapping[str, Sequence[str]]) -> None:
        """Enter the names that further modules register when they are imported, see `modules`."""
        self.modules.update(modules)
        self._homes.update((entry, module) for module, entries in modules.items()
                           for entry in entries)

    @property
    def module_dict(self) -> dict[str, Entry]:
        """The whole table; imports every entry that has not been imported yet."""
        for name in self._homes:
            self._import(name)
        return self._module_dict

    def _import(self, name: str) -> None:
        if name in self._homes and name not in self._module_dict:
            import_module(self._homes[name])

    def register_module(self, name: str | Sequence[str] | None = None, force: bool = False,
                        module: Entry | None = None) -> Entry:
        """Enter a class under its own name or under `name` (one or several).

        A decorator, `@X.register_module()`, unless `module` is given. Raises RegistryError for a
        class of another kind, and for a name that is taken unless `force` replaces the old entry.
        The old form with the class in place of the name still works, with a warning.
        """
        if not isinstance(force, bool):
            raise RegistryTypeError(f'force is True or False, not {force!r}')
        if callable(name):
            return self._register_old(name, force)
        if not (isinstance(name, str | None) or is_seq_of(name, str)):
            raise RegistryTypeError(f'registry {self.name!r}: a name is a str or several, not '
                                    f'{name!r}')
        if module is None:
            return lambda target: self._register_module(target, name, force)
        return self._register_module(module, name, force)

    def deprecated_register_module(self, cls: type | None = None, force: bool = False) -> Entry:
        """Like the old form of `register_module`, with the class in place of the name."""
        return partial(self._register_old, force=force) if cls is None else self._register_old(
            cls, force)

    def _register_old(self, module: Entry, force: bool) -> Entry:
        warn_of_old_name(f'registry {self.name!r}: register_module takes a class by '
                         'module=..., or as a decorator with parentheses, @X.register_module()', 2)
        return self._register_module(module, force=force)

    def _register_module(self, module: Entry, module_name: str | Sequence[str] | None = None,
                         force: bool = False) -> Entry:
        self._check_kind(module)
        names = [module_name] if isinstance(module_name, str) else module_name or [module.__name__]
        for name in names:
            # A class of a user meets ours, imported or not. Where our own module registers its
            # entry, it is being imported already, and this does nothing.
            self._import(name)
            if name in self._module_dict and not force:
                raise RegistryError(
                    f'{name!r} is already in registry {self.name!r}, as '
                    f'{full_name(self._module_dict[name])}: choose another name for '
                    f'{full_name(module)}, or register it with force=True')
        self._module_dict.update(dict.fromkeys(names, module))
        return module

    def _check_kind(self, module: object) -> None:
        if not (inspect.isclass(module) or inspect.isroutine(module)):
            raise RegistryTypeError(f'registry {self.name!r} holds classes and functions, '
                                    f'not {module!r}')
        if self.base and inspect.isclass(module) and not issubclass(module, self.base):
            methods = ', '.join(sorted(getattr(self.base, '__abstractmethods__', ())))
            raise RegistryError(
                f'registry {self.name!r} holds subclasses of {full_name(self.base)}'
                f'{methods and f" (with {methods})"}, and {full_name(module)} is none: derive it '
                'from that class, or register it in the registry of its kind')

    def get(self, key: str) -> Entry | None:
        """The class registered as `key`, which may begin with a scope; None without one."""
        registry, name = self._locate(key) if isinstance(key, str) else (self, key)
        return None if registry is None else registry._own(name)

    def find(self, key: str) -> Entry:
        """Like `get`; raises RegistryError, with similar names, where there is none."""
        found = self.get(key)
        if found is None:
            raise self._unknown(key)
        return found

    def _own(self, name: str) -> Entry | None:
        self._import(name)
        if name in self._homes and name not in self._module_dict:
            raise RegistryError(
                f'{self._homes[name]} does not register {name!r} in registry {self.name!r}, '
                'although the table of that registry says so: put a decorator register_module() '
                'above the class, or correct the table')
        return self._module_dict.get(name)

    def _unknown(self, key: str) -> RegistryError:
        registry, name = self._locate(key)
        if registry is None:
            scope = self.split_scope_key(key)[0]
            return RegistryError(
                f'{key!r} is not in registry {self.name!r}: it knows no scope {scope!r}, only '
                f'{", ".join(self._scopes())}. '
                f'{self._instead_of_foreign(key.rpartition(".")[2])}')
        return RegistryError(
            f'{key!r} is not in registry {registry.name!r}{did_you_mean(name, registry)}\n'
            'A class of your own is known once its module is imported: add that module to '
            "the config, custom_imports = dict(imports=['package.module']).\n"
            f'Known: {", ".join(sorted(registry)) or "nothing yet"}')

    def _instead_of_foreign(self, name: str) -> str:
        """What to do about a class of a package that is not here; what barely resembles it is no
        remedy."""
        near = did_you_mean(name, self, cutoff=0.7)
        if near:
            return f'Leave the scope out for a class of this package{near}'
        return (f'This package has no {name!r}: take one of {", ".join(sorted(self))}, or register '
                'a class of your own, without a scope, in a module that the config imports, '
                "custom_imports = dict(imports=['package.module'])")

    def build(self, cfg: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """What `build_func` makes of `cfg`; a second argument in its place is `default_args`."""
        if args:
            kwargs['default_args'], = args
        return self.build_func(cfg, registry=self, **kwargs)

    def _holds(self, name: str) -> bool:
        return name in self._module_dict or name in self._homes

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        registry, name = self._locate(key)
        return registry is not None and registry._holds(name)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._homes, *self._module_dict]))

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        places = {**{name: f'{module}.{name}' for name, module in self._homes.items()},
                  **{name: full_name(entry) for name, entry in self._module_dict.items()}}
        rows = [f'  {name:<{width}}  {places[name]}' for name in sorted(places)]
        return '\n'.join([f'Registry {self.name!r}, {len(self)} entries', *rows])
