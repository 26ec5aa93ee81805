"""Type checks of sequences, and the import of modules that a config names."""
import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from .errors import ConfigError
from .logging import warn_once


def is_str(value: object) -> bool:
    """Whether a value is a str."""
    return isinstance(value, str)


def is_seq_of(seq: object, expected_type: type | tuple[type, ...],
              seq_type: type | None = None) -> bool:
    """Whether a value is a sequence (of `seq_type`) whose items are all of `expected_type`."""
    return isinstance(seq, seq_type or Sequence) and all(
        isinstance(item, expected_type) for item in seq)


def is_list_of(seq: object, expected_type: type | tuple[type, ...]) -> bool:
    """Whether a value is a list whose items are all of `expected_type`."""
    return is_seq_of(seq, expected_type, seq_type=list)


def is_tuple_of(seq: object, expected_type: type | tuple[type, ...]) -> bool:
    """Whether a value is a tuple whose items are all of `expected_type`."""
    return is_seq_of(seq, expected_type, seq_type=tuple)


def import_modules_from_strings(imports: str | list[str], allow_failed_imports: bool = False,
                                ) -> ModuleType | list[ModuleType | None] | None:
    """Import the modules named in `custom_imports` of a config.

    Returns a module for a str and a list for a list. Raises ConfigError for a module that cannot be
    imported; with `allow_failed_imports` a warning is logged and None stands in its place.
    """
    if not imports:
        return None
    names = [imports] if isinstance(imports, str) else imports
    if not is_seq_of(names, str):
        raise ConfigError('custom_imports.imports is a module name or a list of them, '
                          f'not {imports!r}')
    for name in names:
        if not all(part.isidentifier() for part in name.split('.')):
            raise ConfigError(f'custom_imports: {name!r} is not the name of a module, such as '
                              'package.module')
    modules = [_import(name, allow_failed_imports) for name in names]
    return modules[0] if isinstance(imports, str) else modules


def _import(name: str, allow_failure: bool) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = (f'custom_imports: cannot import {name!r}: {error}. Start the command from the '
                   'folder that holds the module, or add that folder to PYTHONPATH')
        if not allow_failure:
            raise ConfigError(message) from error
        warn_once(message)
        return None
