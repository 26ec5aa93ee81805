"""The config of a run: a file, what it inherits, options, and the origin of each value."""
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from ..errors import ConfigTypeError
from ..misc.custom_imports import import_modules_from_strings, read_custom_imports
from .arguments import add_options
from .config_dict import PROGRAM, ConfigDict, unwrap
from .evaluate import check_key
from .explain import explain
from .file import CONFIG_ROOTS, find_config, parse_config, read_config
from .merge import DELETE_KEY, merge_dict, set_option
from .pretty_text import format_config
from .values import check_plain

__all__ = ['CONFIG_ROOTS', 'COMMAND_LINE', 'Config', 'ConfigDict']

COMMAND_LINE = 'command line'


class Config(ConfigDict):
    """A ConfigDict that was read from a file.

    filename: absolute path, None without a file. text: source of the file and of its bases.
    """

    __slots__ = ('filename', 'text')
    _fields = ('_origins', 'filename', 'text')

    def __init__(self, cfg_dict: dict[str, Any] | None = None, cfg_text: str | None = None,
                 filename: str | Path | None = None) -> None:
        """`cfg_text` is by default the text of the file `filename`, if there is one."""
        cfg_dict = {} if cfg_dict is None else cfg_dict
        if not isinstance(cfg_dict, dict):
            raise ConfigTypeError(f'a config is made from a dict, not from {cfg_dict!r}; to read a '
                                  'file use Config.fromfile(path)')
        for key in cfg_dict:
            check_key(key, 'Config')
        super().__init__(cfg_dict)
        self.filename = filename
        self.text = cfg_text or ''
        if filename is not None and cfg_text is None and os.path.isfile(filename):
            self.text = Path(filename).read_text(encoding='utf-8')

    @classmethod
    def fromfile(cls, filename: str | Path, use_predefined_variables: bool = True,
                 import_custom_modules: bool = True) -> 'Config':
        """Read a .py, .json, .yaml or .yml file and the files that it inherits by `_base_`.

        A Python config is executed as trusted code. `use_predefined_variables`: replace
        `{{ fileDirname }}`, `{{ fileBasename }}`, `{{ fileBasenameNoExtension }}` and
        `{{ fileExtname }}`. `import_custom_modules`: import what `custom_imports` names. Raises
        ConfigError with file and reason.
        """
        path = find_config(filename)
        cfg, text = cls._file2dict(path, use_predefined_variables)
        cfg = cls(cfg, text, str(path))
        if import_custom_modules:
            cfg._import_custom_modules()
        return cfg

    @staticmethod
    def _file2dict(filename: str | Path,
                   use_predefined_variables: bool = True) -> tuple[ConfigDict, str]:
        """The values and the text that `fromfile` makes a config of; users override it, too."""
        return read_config(find_config(filename), use_predefined_variables)

    @classmethod
    def fromstring(cls, cfg_str: str, file_format: str = '.py', *,
                   import_custom_modules: bool = True) -> 'Config':
        """Like `fromfile` for a text; paths in `_base_` are relative to the current folder."""
        if not isinstance(cfg_str, str):
            raise ConfigTypeError(f'the text of a config is a str, not {cfg_str!r}')
        cfg, whole = parse_config(
            cfg_str, f'.{file_format.lstrip(".")}', Path.cwd() / '<string>')
        cfg = cls(cfg, whole)
        if import_custom_modules:
            cfg._import_custom_modules()
        return cfg

    @staticmethod
    def auto_argparser(description: str | None = None) -> tuple[ArgumentParser, 'Config']:
        """A parser with an option for each value of the config on the command line, and the config.

        Options are dotted, such as `--data.samples_per_gpu`.
        """
        first = ArgumentParser(description=description)
        first.add_argument('config', help='config file path')
        cfg = Config.fromfile(first.parse_known_args()[0].config)
        parser = ArgumentParser(description=description)
        parser.add_argument('config', help='config file path')
        add_options(parser, cfg)
        return parser, cfg

    def _import_custom_modules(self) -> None:
        if self.get('custom_imports'):
            import_modules_from_strings(**read_custom_imports(self.custom_imports))

    @property
    def _cfg_dict(self) -> 'Config':
        """The values, which the config itself holds; setting it replaces them."""
        return self

    @_cfg_dict.setter
    def _cfg_dict(self, values: dict[str, Any]) -> None:
        values = dict(values)
        self.clear()
        self.update(values)

    @property
    def _filename(self) -> str | None:
        return self.filename

    @_filename.setter
    def _filename(self, value: str | None) -> None:
        self.filename = value

    @property
    def _text(self) -> str:
        return self.text

    @_text.setter
    def _text(self, value: str) -> None:
        self.text = value

    def __repr__(self) -> str:
        return f'Config (path: {self.filename}): {dict.__repr__(self)}'

    @property
    def pretty_text(self) -> str:
        """Python source that loads back to an equal config."""
        check_plain(self, 'pretty_text')
        return format_config(self)

    def dump(self, file: str | Path | None = None) -> str | None:
        """Write to a .py, .json or .yaml file; without one return the text.

        The text is in the format of the file that the config was read from, Python by default.
        """
        from ... import fileio  # late: fileio imports this package
        suffix = Path(file or self.filename or '.py').suffix or '.py'
        if suffix != '.py':
            return fileio.dump(self.to_dict(), file, suffix.removeprefix('.'))
        if file is None:
            return self.pretty_text
        with fileio.atomic_write(file, 'w') as stream:
            stream.write(self.pretty_text)
        return None

    def merge_from_dict(self, options: dict[str, Any], allow_list_keys: bool = True,
                        origin: str = COMMAND_LINE) -> None:
        """Override values: `{'data.train.pipeline.2.img_scale': (512, 128)}`.

        Keys are dotted; numbers are indices of lists if `allow_list_keys`. A dict is merged into
        the present dict, or replaces it if it has `_delete_=True`. A key `a._delete_` is applied
        before the others. `origin`: the name of the source that `explain` shows.
        """
        if not isinstance(options, dict):
            raise ConfigTypeError(f'{origin}: options are a dict, not {options!r}')
        check_plain(options, origin)
        for key in sorted(options, key=lambda key: not str(key).endswith(f'.{DELETE_KEY}')):
            value = options[key]
            check_key(key if key in self else str(key).partition('.')[0], origin)
            set_option(self, key, value, origin, allow_list_keys)

    @staticmethod
    def _merge_a_into_b(a: dict[str, Any], b: dict[str, Any],
                        allow_list_keys: bool = False) -> dict[str, Any]:
        """A copy of `b` with the values of `a` merged into it; see `merge_from_dict`."""
        merged = ConfigDict(unwrap(b))
        merge_dict(merged, a, PROGRAM, allow_list_keys=allow_list_keys)
        return merged if isinstance(b, ConfigDict) else merged.to_dict()

    def explain(self, key: str) -> str:
        """The files and options that set the value at a dotted key; a line for each value in it."""
        return explain(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        check_key(key, 'Config')
        super().__setitem__(key, value)
