"""Configs: files with `_base_`, options laid over them, and where each value was set."""
from .config import COMMAND_LINE, CONFIG_ROOTS, Config, ConfigDict

__all__ = ['COMMAND_LINE', 'CONFIG_ROOTS', 'Config', 'ConfigDict']
