"""The import of modules that a config names."""
import importlib
import warnings
from types import ModuleType
from typing import Any

from ..errors import ConfigTypeError, MissingModuleError
from .sequences import is_seq_of

_ACCEPTED = ('imports', 'allow_failed_imports')


def import_modules_from_strings(imports: str | list[str] | None, allow_failed_imports: bool = False,
                                ) -> ModuleType | list[ModuleType | None] | None:
    """Import the modules named in `custom_imports` of a config.

    Returns a module for a str and a list for a list. Raises MissingModuleError for a module that
    cannot be imported; with `allow_failed_imports` it warns and None stands in its place.
    """
    if not imports:
        return None
    names = [imports] if isinstance(imports, str) else imports
    if not is_seq_of(names, str):
        raise ConfigTypeError('custom_imports.imports is a module name or a list of them, '
                              f'not {imports!r}')
    for name in names:
        if not all(part.isidentifier() for part in name.split('.')):
            raise MissingModuleError(f'custom_imports: {name!r} is not the name of a module, such '
                                     'as package.module')
    modules = [_import(name, allow_failed_imports) for name in names]
    return modules[0] if isinstance(imports, str) else modules


def _import(name: str, allow_failure: bool) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f'custom_imports: cannot import {name!r}: {error}. {_remedy(name, error)}'
        if not allow_failure:
            raise MissingModuleError(message) from error
        warnings.warn(message, stacklevel=4)
        return None


def _remedy(name: str, error: ImportError) -> str:
    lacking = error.name or ''
    if isinstance(error, ModuleNotFoundError) and f'{name}.'.startswith(f'{lacking}.'):
        return ('Start the command from the folder that holds the module, or add that folder to '
                'PYTHONPATH')
    return f'Correct that import, which {name} or a module that it imports asks for'


def read_custom_imports(value: Any) -> dict[str, Any]:
    """The arguments of `import_modules_from_strings` in `custom_imports` of a config.

    Raises ConfigError for other settings than those; names without a dict are its `imports`.
    """
    arguments = dict(value) if isinstance(value, dict) else dict(imports=value)
    if 'imports' not in arguments or set(arguments) - set(_ACCEPTED):
        raise ConfigTypeError(f'custom_imports takes {" and ".join(_ACCEPTED)}, not '
                              f'{", ".join(map(str, arguments))}: write custom_imports = '
                              "dict(imports=['package.module'])")
    return arguments
