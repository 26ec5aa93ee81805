"""Helpers of the segmentation package: its logger and its environment report."""
import logging
from collections import OrderedDict

from mmcv_replace.utils import collect_env as _collect_base_env
from mmcv_replace.utils import get_git_hash, get_logger
from mmseg.version import __version__


def get_root_logger(
    log_level: int | str = logging.INFO, log_file: str | None = None
) -> logging.Logger:
    """The logger 'mmseg', parent of every logger of the toolkit."""
    return get_logger('mmseg', log_file, log_level, file_mode='a')


def collect_env() -> OrderedDict:
    """Versions of the machine's software and of this package."""
    env = _collect_base_env()
    env['MMSegmentation'] = f'{__version__}+{get_git_hash()[:7]}'
    return env


__all__ = ['collect_env', 'get_root_logger']
