"""Configs: files that inherit by `_base_`, options that override them, and origins of values."""
from .config import COMMAND_LINE, CONFIG_ROOTS, Config, ConfigDict
from .merge import DELETE_KEY
from .options import DictAction

__all__ = ['COMMAND_LINE', 'CONFIG_ROOTS', 'DELETE_KEY', 'Config', 'ConfigDict', 'DictAction']
