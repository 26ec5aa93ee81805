"""The settings of a run, checked before any work is done."""
from .settings import TOP, check_settings

__all__ = ['TOP', 'check_settings']
