"""Configs: files that inherit by `_base_`, options that override them, and origins of values."""
from .base_values import BASE_KEY
from .config import COMMAND_LINE, CONFIG_ROOTS, Config, ConfigDict
from .evaluate import RESERVED_KEYS
from .merge import DELETE_KEY
from .options import DictAction
from .python_file import DEPRECATION_KEY

__all__ = ['BASE_KEY', 'COMMAND_LINE', 'CONFIG_ROOTS', 'DELETE_KEY', 'DEPRECATION_KEY',
           'RESERVED_KEYS', 'Config', 'ConfigDict', 'DictAction']
