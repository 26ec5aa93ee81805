"""The settings of a run, checked before any work is done."""
from .settings import LEAST, MOST, SETTINGS, TOP, check_names, check_settings

__all__ = ['LEAST', 'MOST', 'SETTINGS', 'TOP', 'check_names', 'check_settings']
