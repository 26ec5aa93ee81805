"""The config of a run: a file with all that it inherits, options laid over it, and its history."""
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
    """A ConfigDict with the file it came from.

    `filename` is the absolute path (None without a file) and `text` the source of the file and
    its bases.
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
        """Read a .py, .json, .yaml or .yml file and what it inherits by `_base_`.

        A Python config is run: it is trusted code. ConfigError names the file and the reason.
        """
        path = find_config(filename)
        cfg, text = read_config(path)
        return cls(cfg, text, str(path))

    @classmethod
    def fromstring(cls, text: str, file_format: str = '.py') -> 'Config':
        """Read a config from a text; `_base_` is relative to the current folder."""
        cfg, whole = parse_config(text, f'.{file_format.lstrip(".")}', Path.cwd() / '<string>')
        return cls(cfg, whole)

    @property
    def pretty_text(self) -> str:
        """Python source that loads back to an equal config."""
        check_plain(self, 'pretty_text')
        return format_config(self)

    def dump(self, path: str | Path | None = None) -> str | None:
        """Write to a .py, .json or .yaml file; without `path` the Python text is returned."""
        if path is None:
            return self.pretty_text
        from ... import fileio  # late: fileio stands on this package
        if Path(path).suffix == '.py':
            with fileio.atomic_write(path, 'w') as file:
                file.write(self.pretty_text)
        else:
            fileio.dump(self.to_dict(), path)
        return None

    def merge_from_dict(self, options: dict[str, Any], allow_list_keys: bool = True,
                        origin: str = COMMAND_LINE) -> None:
        """Lay options over the config: `{'data.train.pipeline.2.img_scale': (512, 128)}`.

        Keys are dotted; numbers are indices of lists if `allow_list_keys`. A dict merges into the
        dict that is there, unless it has `_delete_=True`, which in a key of its own (`a._delete_`)
        comes first, wherever it stands. `origin` is what `explain` will say.
        """
        check_plain(options, origin)
        for key in sorted(options, key=lambda key: not str(key).endswith(f'.{DELETE_KEY}')):
            value = options[key]
            check_key(key if key in self else str(key).partition('.')[0], origin)
            set_option(self, key, value, origin, allow_list_keys)

    def explain(self, key: str) -> str:
        """Which files and options set the value at a dotted key, one line for each value below."""
        return explain(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        check_key(key, 'Config')
        super().__setitem__(key, value)
