"""The logger of the toolkit."""
import logging

from mmcv_replace.utils import get_logger


def get_root_logger(
    log_file: str | None = None, log_level: int | str = logging.INFO
) -> logging.Logger:
    """The logger 'mmseg', parent of every logger of the toolkit."""
    return get_logger('mmseg', log_file, log_level, file_mode='a')
