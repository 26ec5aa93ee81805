"""Packages whose names are imported when they are first asked for."""
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec


def lazy_names(package: str, modules: Mapping[str, Sequence[str]]
               ) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package that imports its modules on demand.

        __getattr__, __dir__, __all__ = lazy_names(__name__, {'.resnet': ['ResNet', 'ResNetV1c']})

    A program then loads only the modules that it uses. A name that is also a module of the package
    cannot be in the table: Python would hand out the module. A name of mmcv that is left out raises
    ImportError with the reason, of which mmcv_replace/compatibility.py has a table.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> object:
        if name in homes:
            return getattr(import_module(homes[name], package), name)
        if find_spec(f'{package}.{name}'):  # package.module without an import of it
            return import_module(f'{package}.{name}')
        raise _missing(package, name)

    def all_names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, all_names, list(homes)


def _missing(package: str, name: str) -> Exception:
    from ..compatibility import why_absent

    root, _, rest = package.partition('.')
    reason = root == __name__.partition('.')[0] and why_absent(f'mmcv.{rest}'.rstrip('.'), name)
    # An AttributeError's text would be lost in `from package import name`.
    return ImportError(reason, name=package) if reason else AttributeError(
        f'module {package!r} has no attribute {name!r}')
