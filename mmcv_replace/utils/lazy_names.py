"""Packages whose names are imported when they are first asked for."""
import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_names(package: str, modules: Mapping[str, str]
               ) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for a package, from a table name -> module that defines it.

        __getattr__, __dir__ = lazy_names(__name__, {'ResNet': '.resnet'})

    A program then loads the modules of what it uses and no others. A name must not be that of a
    module of the package: Python would hand out the module.
    """
    def get(name: str) -> object:
        if name not in modules:
            raise AttributeError(f'module {package!r} has no attribute {name!r}')
        return getattr(import_module(modules[name], package), name)

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *modules})

    return get, names
