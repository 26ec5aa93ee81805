"""Read a config file and the files that it inherits from."""
import os
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DataError
from ..suggest import near_names, short
from .config_dict import ConfigDict, history_of
from .merge import merge_dict
from .python_file import BASE_KEY, nearly_base, run_python_config
from .values import check_plain
from .variables import fill_json, fill_python, mark_yaml, put_in

RESERVED_KEYS = ('filename', 'text', 'pretty_text')
FORMATS = ('.py', '.json', '.yaml', '.yml')
_MAX_FILES = 500
_MAX_DEPTH = 30

# Folders in which a path such as configs/a.py is searched if it does not exist. A package with a
# folder of configs appends the folder around it.
CONFIG_ROOTS: list[Path] = []


def find_config(filename: str | Path) -> Path:
    """Absolute path of a config file; raises ConfigError with similar names if there is none."""
    given = Path(filename).expanduser()
    candidates = [given]
    if given.parts[:1] == ('configs',):
        candidates += [root / given for root in CONFIG_ROOTS]
    for path in candidates:
        if os.path.isfile(path):
            return Path(os.path.abspath(path))
    nearest = next((path for path in candidates if path.parent.is_dir()), candidates[-1])
    raise ConfigError(f'config file {filename} does not exist' + _neighbours(nearest))


def _neighbours(path: Path) -> str:
    try:
        names = sorted(name for name in os.listdir(path.parent) if name.endswith(FORMATS))
    except OSError as error:
        return f' (folder {path.parent}: {error.strerror})'
    near = near_names(path.name, names) or names[:5]
    return f'; {path.parent} has ' + (', '.join(near) or 'no config files')


def read_config(path: Path) -> tuple[ConfigDict, str]:
    """The config of a file with its bases, and the texts of all of these files, bases first."""
    texts: list[str] = []
    return _read(path, (), texts), '\n'.join(texts)


def parse_config(text: str, file_format: str, path: Path) -> tuple[ConfigDict, str]:
    """Like `read_config` for a text; `path` is the path that it would have as a file."""
    texts: list[str] = []
    return _with_bases(text, file_format, path, path.name, (), texts), '\n'.join(texts)


def _read(path: Path, chain: tuple[Path, ...], texts: list[str]) -> ConfigDict:
    """Read a file; `chain`: the files that inherit from it, `texts`: collects the texts read."""
    path, file = Path(os.path.abspath(path)), Path(os.path.realpath(path))
    if file in chain:
        circle = ' -> '.join(map(str, (*chain[chain.index(file):], file)))
        raise ConfigError(f'{BASE_KEY} goes in a circle: {circle}')
    if len(chain) > _MAX_DEPTH or len(texts) > _MAX_FILES:
        raise ConfigError(f'{path}: a config inherits from at most {_MAX_FILES} files, '
                          f'{_MAX_DEPTH} one after the other')
    try:
        text = path.read_text(encoding='utf-8-sig')
    except OSError as error:
        raise ConfigError(f'cannot read the config file {path}: '
                          f'{error.strerror or error}') from error
    except UnicodeDecodeError as error:
        raise ConfigError(f'{path} is not a UTF-8 text file: {error}') from error
    return _with_bases(text, path.suffix, path, _display(path), (*chain, file), texts)


def _with_bases(text: str, suffix: str, path: Path, origin: str,
                chain: tuple[Path, ...], texts: list[str]) -> ConfigDict:
    own = _evaluate(text, suffix, path)
    bases = own.pop(BASE_KEY, [])
    bases = [bases] if isinstance(bases, str) else bases
    if not (isinstance(bases, (list, tuple)) and all(isinstance(base, str) for base in bases)):
        raise ConfigError(f'{path}: {BASE_KEY} is a file name or a list of them, '
                          f'not {short(bases)}')
    cfg = ConfigDict()
    for base in bases:
        _join(cfg, _read(_find_base(base, path, suffix), chain, texts))
    merge_dict(cfg, own, origin)
    texts.append(f'{origin}\n{text}')
    return cfg


def _find_base(base: str, path: Path, suffix: str) -> Path:
    """The file `base` of the config at `path`; raises ConfigError if it is missing or forbidden."""
    found = path.parent / base
    if not os.path.isfile(found):
        raise ConfigError(f'{path}: the {BASE_KEY} file {base} does not exist'
                          + _neighbours(Path(os.path.abspath(found))))
    trusted = [Path(os.path.realpath(root), 'configs') for root in CONFIG_ROOTS]
    if suffix != '.py' and found.suffix == '.py' and not any(
            Path(os.path.realpath(found)).is_relative_to(root) for root in trusted):
        raise ConfigError(f'{path} is data, which must not start a program such as its {BASE_KEY} '
                          f'{base}: write this config in Python, or that one as data')
    return found


def check_key(key: object, place: str) -> None:
    """Raise ConfigError for a name that cannot be a top-level key of a config."""
    if not isinstance(key, str) or key.startswith('_') or key in RESERVED_KEYS:
        raise ConfigError(f'{place}: {key!r} cannot be a key at the top of a config: keys are '
                          'strings, those that begin with an underscore are private to a file, '
                          f'and {", ".join(RESERVED_KEYS)} are reserved')


def _join(cfg: ConfigDict, other: ConfigDict) -> None:
    """Add the keys of another base; raises ConfigError for a key with two different values."""
    for key, value in other.items():
        if key not in cfg:
            dict.__setitem__(cfg, key, value)
            cfg._origins[key] = history_of(other, key)
        elif cfg[key] != value:
            raise ConfigError(
                f'{BASE_KEY} files disagree about {key!r}: {short(cfg[key])} in '
                f'{cfg.origin(key)}, {short(value)} in {other.origin(key)}. Keep it in one of '
                'them, or inherit from one only')


def _evaluate(text: str, suffix: str, path: Path) -> dict[str, Any]:
    if suffix not in FORMATS:
        raise ConfigError(f'{path}: the format of a config is one of {", ".join(FORMATS)}, not '
                          f'{suffix!r}')
    names: dict[str, str] = {}
    if suffix == '.py':
        tree = run_python_config(fill_python(text, path), str(path))
    elif suffix == '.json':
        tree = _load_data(fill_json(text, path), suffix, path)
    else:
        text, names = mark_yaml(text, path)
        tree = _load_data(text, suffix, path)
    _check_base(tree, path)
    own = {key: value for key, value in tree.items()
           if key == BASE_KEY or not str(key).startswith('_')}
    for key in own:
        if key != BASE_KEY:
            check_key(key, str(path))
    check_plain(own, str(path))
    return put_in(own, names)


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
        raise ConfigError(f'{path}: a config is a mapping of keys to values, not {short(tree)}')
    return tree


def _display(path: Path) -> str:
    """The path for messages: relative to the current folder if it is inside, else absolute."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
