"""Hooks that log the numbers of the log buffer."""
from .base import LoggerHook
from .tensorboard import TensorboardLoggerHook
from .text import TextLoggerHook

__all__ = ['LoggerHook', 'TensorboardLoggerHook', 'TextLoggerHook']
