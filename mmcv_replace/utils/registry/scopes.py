"""Registries of several packages that know each other by their scopes."""
import sys
from typing import Any, TypeVar

from ..errors import RegistryError, RegistryTypeError

_OWN = __name__.partition('.')[0]
_OWN_SCOPE = 'mmcv'

T = TypeVar('T', bound='Scoped')


class Scoped:
    """A node in a tree of registries of one kind, a package each.

    An entry of another package is asked for by its scope: 'mmdet.X' is X of the registry whose
    scope is 'mmdet', found below this one, or from the top of the tree.
    """

    def __init__(self, name: str, parent: Any, scope: str) -> None:
        if not isinstance(scope, str):
            raise RegistryTypeError(f'the scope of registry {name!r} is a str, not {scope!r}')
        if not isinstance(parent, Scoped | None):
            raise RegistryTypeError(f'the parent of registry {name!r} is a registry, not '
                                    f'{parent!r}')
        self._name = name
        self._scope = scope
        self._children: dict[str, Any] = {}
        self.parent = parent
        if parent is not None:
            parent._add_children(self)

    @property
    def name(self) -> str:
        """What the registry holds, for messages."""
        return self._name

    @property
    def scope(self) -> str:
        """The package whose entries the registry holds."""
        return self._scope

    @property
    def children(self: T) -> dict[str, T]:
        """The registries just below this one, by their scopes."""
        return self._children

    def _add_children(self: T, registry: T) -> None:
        """Put a registry below this one; raises RegistryError for a scope that is there."""
        if not isinstance(registry, Scoped):
            raise RegistryTypeError(f'below registry {self.name!r} are registries, not '
                                    f'{registry!r}')
        if registry.scope in self.children:
            raise RegistryError(f'registry {self.name!r} has a child of scope {registry.scope!r} '
                                'already: choose another scope')
        self.children[registry.scope] = registry

    @staticmethod
    def infer_scope() -> str:
        """The top package of the code that called the caller of this; 'mmcv' for this one."""
        package = sys._getframe(2).f_globals.get('__name__', '').partition('.')[0]
        return _OWN_SCOPE if package == _OWN else package

    @staticmethod
    def split_scope_key(key: str) -> tuple[str | None, str]:
        """The scope before the first dot, None without one, and the rest of the name."""
        scope, dot, rest = key.partition('.')
        return (scope, rest) if dot else (None, key)

    def _locate(self: T, key: str) -> tuple[T | None, str]:
        """The registry that a name means, None for an unknown scope, and the name in it."""
        scope, rest = self.split_scope_key(key)
        if scope is None or self._holds(key):
            return self, key
        if scope == self.scope:
            return self._locate(rest)
        if scope in self.children:
            return self.children[scope]._locate(rest)
        top = self._top()
        return (None, key) if top is self else top._locate(key)

    def _top(self: T) -> T:
        """The registry at the top of the tree."""
        return self if self.parent is None else self.parent._top()

    def _scopes(self) -> list[str]:
        """The scopes that are known in the tree."""
        found, queue = [], [self._top()]
        while queue:
            node = queue.pop()
            found.append(node.scope)
            queue += node.children.values()
        return sorted(found)

    def _holds(self, name: str) -> bool:
        """Whether this registry itself has an entry of this name."""
        raise NotImplementedError
