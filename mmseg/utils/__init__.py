"""Helpers of the segmentation package: its logger, its environment report, and those of scripts."""
from mmcv_replace.utils.lazy_names import lazy_names

from .collect_env import collect_env
from .logger import get_root_logger

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.misc': ['find_latest_checkpoint'],
    '.set_env': ['setup_multi_processes'],
    '.util_distribution': ['build_ddp', 'build_dp', 'get_device'],
})
__all__ += ['collect_env', 'get_root_logger']
