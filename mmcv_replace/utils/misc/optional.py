"""Packages that only some features need, imported where they are used."""
from importlib import import_module
from types import ModuleType

from ..errors import MissingModuleError


def has_package(name: str) -> bool:
    """Whether a package, or a module of one, can be imported."""
    try:
        import_module(name)
    except ImportError:
        return False
    return True


def import_optional(module: str, user: str, remedy: str) -> ModuleType:
    """Import a module of a package that need not be installed.

    Where that fails, MissingModuleError names the `user`, such as 'the file backend lmdb', the
    module, and the `remedy`. A compiled package that is made for another torch raises OSError or
    RuntimeError where it is imported.
    """
    try:
        return import_module(module)
    except (ImportError, OSError, RuntimeError) as error:
        raise MissingModuleError(f'{user} needs {module}, which cannot be imported ({error}): '
                                 f'{remedy}') from error
