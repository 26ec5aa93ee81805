"""Read a config file and the files that it inherits from."""
import os
from pathlib import Path
from typing import Any

from ..errors import (
    ConfigError,
    ConfigFormatError,
    ConfigKeyError,
    ConfigTypeError,
    MissingFileError,
)
from ..suggest import near_names, short
from .base_values import BASE_KEY
from .config_dict import ConfigDict, history_of
from .evaluate import FORMATS, evaluate
from .merge import merge_dict

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
    raise MissingFileError(f'config file {filename} does not exist' + _neighbours(nearest))


def _neighbours(path: Path) -> str:
    try:
        names = sorted(name for name in os.listdir(path.parent) if name.endswith(FORMATS))
    except OSError as error:
        return f' (folder {path.parent}: {error.strerror})'
    near = near_names(path.name, names) or names[:5]
    return f'; {path.parent} has ' + (', '.join(near) or 'no config files')


def read_config(path: Path, fill_path: bool = True) -> tuple[ConfigDict, str]:
    """The config of a file with its bases, and the texts of all of these files, bases first.

    `fill_path`: replace `{{ fileDirname }}` and the other variables of the path.
    """
    reader = _Reader(fill_path)
    return reader.read(path, ()), '\n'.join(reader.texts)


def parse_config(text: str, file_format: str, path: Path) -> tuple[ConfigDict, str]:
    """Like `read_config` for a text; `path` is the path that it would have as a file."""
    reader = _Reader()
    return reader.with_bases(text, file_format, path, path.name, ()), '\n'.join(reader.texts)


class _Reader:
    """Reads a config file and those that it inherits from."""

    def __init__(self, fill_path: bool = True) -> None:
        self.fill_path = fill_path
        self.texts: list[str] = []  # of the files read, bases first

    def read(self, path: Path, chain: tuple[Path, ...]) -> ConfigDict:
        """Read a file; `chain`: the files that inherit from it."""
        path, file = Path(os.path.abspath(path)), Path(os.path.realpath(path))
        if file in chain:
            circle = ' -> '.join(map(str, (*chain[chain.index(file):], file)))
            raise ConfigError(f'{BASE_KEY} goes in a circle: {circle}')
        if len(chain) > _MAX_DEPTH or len(self.texts) > _MAX_FILES:
            raise ConfigError(f'{path}: a config inherits from at most {_MAX_FILES} files, '
                              f'{_MAX_DEPTH} one after the other')
        try:
            text = path.read_text(encoding='utf-8-sig')
        except OSError as error:
            raise ConfigError(f'cannot read the config file {path}: '
                              f'{error.strerror or error}') from error
        except UnicodeDecodeError as error:
            text = f'{path} is not a UTF-8 text file: {error}'
            if path.suffix in FORMATS:
                raise ConfigError(text) from error
            raise ConfigFormatError(f'{text}. A config ends in one of {", ".join(FORMATS)}; on the '
                                    'command line it stands before the checkpoint') from error
        return self.with_bases(text, path.suffix, path, _display(path), (*chain, file))

    def with_bases(self, text: str, suffix: str, path: Path, origin: str,
                   chain: tuple[Path, ...]) -> ConfigDict:
        """The config of a text with its bases; `origin`: its name in `explain`."""
        found: dict[str, ConfigDict] = {}  # by their names in `_base_`

        def load_bases(names: Any) -> ConfigDict:
            cfg = ConfigDict()
            for base in _base_names(names, path):
                if base not in found:
                    found[base] = self.read(_find_base(base, path, suffix), chain)
                _join(cfg, found[base])
            return cfg

        own = evaluate(text, suffix, path, load_bases, self.fill_path)
        cfg = load_bases(own.pop(BASE_KEY, []))
        merge_dict(cfg, own, origin)
        self.texts.append(f'{path}\n{text}')
        return cfg


def _base_names(names: Any, path: Path) -> list[str] | tuple[str, ...]:
    names = [names] if isinstance(names, str) else names
    if not (isinstance(names, (list, tuple)) and all(isinstance(base, str) for base in names)):
        raise ConfigTypeError(f'{path}: {BASE_KEY} is a file name or a list of them, '
                              f'not {short(names)}')
    return names


def _find_base(base: str, path: Path, suffix: str) -> Path:
    """The file `base` of the config at `path`; raises ConfigError if it is missing or forbidden.

    A path that begins with configs/ and is not there is one of the package's.
    """
    found = path.parent / base
    if not os.path.isfile(found) and Path(base).parts[:1] == ('configs',):
        found = next((root / base for root in CONFIG_ROOTS if os.path.isfile(root / base)), found)
    if not os.path.isfile(found):
        raise MissingFileError(f'{path}: the {BASE_KEY} file {base} does not exist'
                               + _neighbours(Path(os.path.abspath(found))))
    trusted = [Path(os.path.realpath(root), 'configs') for root in CONFIG_ROOTS]
    if suffix != '.py' and found.suffix == '.py' and not any(
            Path(os.path.realpath(found)).is_relative_to(root) for root in trusted):
        raise ConfigError(f'{path} is data, which must not start a program such as its {BASE_KEY} '
                          f'{base}: write this config in Python, or that one as data')
    return found


def _join(cfg: ConfigDict, other: ConfigDict) -> None:
    """Add the keys of another base; raises ConfigError for a key with two different values."""
    for key, value in other.items():
        if key not in cfg:
            dict.__setitem__(cfg, key, value)
            cfg._origins[key] = history_of(other, key)
        elif cfg[key] != value:
            raise ConfigKeyError(
                f'{BASE_KEY} files disagree about {key!r}: {short(cfg[key])} in '
                f'{cfg.origin(key)}, {short(value)} in {other.origin(key)}. Keep it in one of '
                'them, or inherit from one only')


def _display(path: Path) -> str:
    """The path for messages: relative to the current folder if it is inside, else absolute."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
