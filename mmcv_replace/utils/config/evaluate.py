"""What one config file defines itself, apart from the files that it inherits from."""
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import ConfigError, ConfigFormatError, ConfigKeyError, ConfigTypeError, DataError
from ..logging import warn_once
from ..suggest import short
from .base_values import BASE_KEY, base_value
from .config_dict import ConfigDict
from .python_file import DEPRECATION_KEY, nearly_base, run_python_config
from .values import check_plain
from .variables import Marks, fill_json, fill_python, put_in

RESERVED_KEYS = ('filename', 'text', 'pretty_text')
FORMATS = ('.py', '.json', '.yaml', '.yml')


def check_key(key: object, place: str) -> None:
    """Raise ConfigError for a name that cannot be a top-level key of a config."""
    if not isinstance(key, str) or key.startswith('_') or key in RESERVED_KEYS:
        raise ConfigKeyError(f'{place}: {key!r} cannot be a key at the top of a config: keys are '
                             'strings, those that begin with an underscore are private to a file, '
                             f'and {", ".join(RESERVED_KEYS)} are reserved')


def evaluate(text: str, suffix: str, path: Path, load_bases: Callable[[Any], ConfigDict],
             fill_path: bool = True) -> dict[str, Any]:
    """The keys and values of a config file, and the files to inherit from as `_base_`.

    `load_bases` reads those files, of which `{{ _base_.key }}` is a value; `fill_path`: replace
    `{{ fileDirname }}` and the like. Raises ConfigError with the path.
    """
    if suffix not in FORMATS:
        raise ConfigFormatError(f'{path}: the format of a config is one of {", ".join(FORMATS)}, '
                                f'not {suffix!r}')
    marks = Marks()
    if suffix == '.py':
        source = fill_python(text, path) if fill_path else text
        tree = run_python_config(source, str(path), load_bases)
    else:
        if fill_path:
            text = fill_json(text, path) if suffix == '.json' else marks.mark_path(text, path)
        tree = _load_data(marks.mark_bases(text, suffix), suffix, path)
    _check_base(tree, path)
    if DEPRECATION_KEY in tree:
        _warn_of_deprecation(tree[DEPRECATION_KEY], path)
    own = {key: value for key, value in tree.items()
           if key == BASE_KEY or not str(key).startswith('_')}
    for key in own:
        if key != BASE_KEY:
            check_key(key, str(path))
    check_plain(own, str(path))
    own = put_in(own, marks.names)
    if not marks.bases:
        return own
    cfg = load_bases(own.get(BASE_KEY, []))
    try:
        return put_in(own, marks.bases, lambda code: base_value(code, cfg))
    except ConfigError as error:
        raise type(error)(f'{path}: {error}') from error


def _warn_of_deprecation(entry: Any, path: Path) -> None:
    """Warn about a config file that says `_deprecation_ = dict(expected=FILE, reference=URL)`."""
    if not isinstance(entry, dict):
        raise ConfigTypeError(f'{path}: {DEPRECATION_KEY} is a dict of expected and reference, not '
                              f'{short(entry)}')
    parts = [f'the config file {path} is deprecated']
    if entry.get('expected'):
        parts.append(f'use {entry["expected"]} instead')
    if entry.get('reference'):
        parts.append(f'see {entry["reference"]}')
    warnings.warn('; '.join(parts), DeprecationWarning, stacklevel=2)
    warn_once('; '.join(parts))


def _check_base(tree: dict[str, Any], path: Path) -> None:
    """Raise ConfigError for a list of config files under a key that resembles `_base_`.

    If `_base_` exists too, such a key may be a helper variable for it.
    """
    for key, value in tree.items() if BASE_KEY not in tree else ():
        files = [value] if isinstance(value, str) else value
        if nearly_base(str(key)) and isinstance(files, (list, tuple)) and any(
                isinstance(file, str) and file.endswith(FORMATS) for file in files):
            raise ConfigError(f'{path}: {key} = {short(value)} would be ignored, names with an '
                              f'underscore are private: the files to inherit from are {BASE_KEY}')


def _load_data(text: str, suffix: str, path: Path) -> dict[str, Any]:
    from ...fileio import load_text  # late: fileio imports this package
    try:
        tree = load_text(text, suffix, str(path), unique_keys=True)
    except DataError as error:
        raise ConfigError(str(error)) from error
    if not isinstance(tree, dict):
        raise ConfigTypeError(f'{path}: a config is a mapping of keys to values, not {short(tree)}')
    return tree
