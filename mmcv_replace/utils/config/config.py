"""The config of a run: a file, what it inherits, options, and the origin of each value."""
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .config_dict import ConfigDict
from .explain import explain
from .file import CONFIG_ROOTS, check_key, find_config, parse_config, read_config
from .merge import DELETE_KEY, set_option
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
                 filename: str | None = None) -> None:
        cfg_dict = {} if cfg_dict is None else cfg_dict
        if not isinstance(cfg_dict, dict):
            raise ConfigError(f'a config is made from a dict, not from {cfg_dict!r}; to read a '
                              'file use Config.fromfile(path)')
        for key in cfg_dict:
            check_key(key, 'Config')
        super().__init__(cfg_dict)
        self.filename = filename
        self.text = cfg_text or ''

    @classmethod
    def fromfile(cls, filename: str | Path) -> 'Config':
        """Read a .py, .json, .yaml or .yml file and the files that it inherits by `_base_`.

        A Python config is executed as trusted code. Raises ConfigError with file and reason.
        """
        path = find_config(filename)
        cfg, text = read_config(path)
        return cls(cfg, text, str(path))

    @classmethod
    def fromstring(cls, text: str, file_format: str = '.py') -> 'Config':
        """Read a config from a text; paths in `_base_` are relative to the current folder."""
        cfg, whole = parse_config(text, f'.{file_format.lstrip(".")}', Path.cwd() / '<string>')
        return cls(cfg, whole)

    @property
    def pretty_text(self) -> str:
        """Python source that loads back to an equal config."""
        check_plain(self, 'pretty_text')
        return format_config(self)

    def dump(self, path: str | Path | None = None) -> str | None:
        """Write to a .py, .json or .yaml file; without `path` return the Python text."""
        if path is None:
            return self.pretty_text
        from ... import fileio  # late: fileio imports this package
        if Path(path).suffix == '.py':
            with fileio.atomic_write(path, 'w') as file:
                file.write(self.pretty_text)
        else:
            fileio.dump(self.to_dict(), path)
        return None

    def merge_from_dict(self, options: dict[str, Any], allow_list_keys: bool = True,
                        origin: str = COMMAND_LINE) -> None:
        """Override values: `{'data.train.pipeline.2.img_scale': (512, 128)}`.

        Keys are dotted; numbers are indices of lists if `allow_list_keys`. A dict is merged into
        the present dict, or replaces it if it has `_delete_=True`. A key `a._delete_` is applied
        before the others. `origin`: the name of the source that `explain` shows.
        """
        check_plain(options, origin)
        for key in sorted(options, key=lambda key: not str(key).endswith(f'.{DELETE_KEY}')):
            value = options[key]
            check_key(key if key in self else str(key).partition('.')[0], origin)
            set_option(self, key, value, origin, allow_list_keys)

    def explain(self, key: str) -> str:
        """The files and options that set the value at a dotted key; a line for each value in it."""
        return explain(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        check_key(key, 'Config')
        super().__setitem__(key, value)
