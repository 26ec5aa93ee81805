"""Execute a Python config file and collect the values that it defines."""
import ast
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ConfigError, ConfigKeyError, ConfigSyntaxError, UserError
from ..misspelling import misspelt
from .base_code import FILL, VALUES, link_to_bases, static_bases
from .base_values import BASE_KEY, BaseValues, fill_text
from .config_dict import ConfigDict, MissingKeyError
from .syntax import parse_python
from .values import SCALARS

DEPRECATION_KEY = '_deprecation_'


class _TextError(ConfigError):
    """A text with references to the bases that cannot be filled; its cause has the final type."""


def run_python_config(text: str, filename: str,
                      load_bases: Callable[[Any], ConfigDict]) -> dict[str, Any]:
    """Execute the code and return the names and values that it defines.

    `load_bases` reads the files that `_base_` names, once the code uses a value of them. Left out
    are names with a leading underscore (except `_base_`, `_deprecation_` and those of
    `nearly_base`), modules, functions, classes and imported objects. Raises ConfigError with file,
    line and cause.
    """
    try:
        tree = parse_python(text, filename)
        files = static_bases(tree)
        code = compile(link_to_bases(tree, text), filename, 'exec')
    except SyntaxError as error:
        raise ConfigSyntaxError(f'There are syntax errors in config file {filename}, line '
                                f'{error.lineno}: {error.msg}: '
                                f'{(error.text or "").strip()}') from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ConfigError(f'{filename} is not Python: {error}') from error

    def load() -> ConfigDict:
        return load_bases(namespace.get(BASE_KEY, files))

    def fill(value: str) -> Any:
        cfg = load()
        try:
            return fill_text(value, cfg)
        except ConfigError as error:
            raise _TextError(str(error)) from error

    namespace: dict[str, Any] = {'__name__': '__config__', '__file__': filename,
                                 VALUES: BaseValues(load), FILL: fill}
    of_python = (*namespace, '__builtins__')
    with _helpers_beside(Path(filename).parent):
        try:
            exec(code, namespace)
        except MissingKeyError as error:
            raise ConfigKeyError(_describe(error, filename, text)) from error
        except _TextError as error:
            raise type(error.__cause__)(_describe(error, filename, text)) from error
        except UserError:
            raise
        except (Exception, SystemExit) as error:
            raise ConfigError(_describe(error, filename, text)) from error
    imported = {alias.asname or alias.name.partition('.')[0] for node in ast.walk(tree)
                if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names}
    return {name: value for name, value in namespace.items() if name not in of_python
            and (not name.startswith('_') or name in (BASE_KEY, DEPRECATION_KEY)
                or nearly_base(name))
            and not (inspect.ismodule(value) or inspect.isroutine(value) or inspect.isclass(value))
            and not (name in imported and not isinstance(value, (*SCALARS, list, tuple, dict)))}


def nearly_base(name: str) -> bool:
    """Whether a private name resembles `_base_`: `_bases_`, `_Base_`, `_bsae_`."""
    return name.startswith('_') and (name.strip('_').lower() == 'bases'
                                     or misspelt(name, (BASE_KEY,)) is not None)


@contextmanager
def _helpers_beside(folder: Path) -> Iterator[None]:
    """Let a config import modules from its own folder, and remove them from Python afterwards."""
    before, path, flag = set(sys.modules), list(sys.path), sys.dont_write_bytecode
    sys.path.append(str(folder))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path[:] = path
        sys.dont_write_bytecode = flag
        _forget_helpers(set(sys.modules) - before, folder)


def _forget_helpers(names: set[str], folder: Path) -> None:
    """Remove the modules that only the folder of the config provides."""
    files = {name: getattr(sys.modules[name], '__file__', None) or '' for name in names}
    own = {name: sys.modules[name] for name, file in files.items()
           if Path(file).is_relative_to(folder)}
    for name in own:
        del sys.modules[name]
    for name in sorted(own):  # packages before their parts
        if importlib.util.find_spec(name.partition('.')[0]) is not None:
            sys.modules[name] = own[name]


def _describe(error: BaseException, filename: str, text: str) -> str:
    """The error with the line of the config that caused it."""
    number = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
              if frame.filename == filename][-1]
    line = text.splitlines()[number - 1].strip()
    kind = '' if isinstance(error, UserError) else f'{type(error).__name__}: '
    return f'{filename}, line {number}: {kind}{error}\n    {line}'
