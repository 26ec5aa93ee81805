"""Config, registry, logging and small helpers."""
from .config import Config, ConfigDict
from .env import collect_env, get_git_hash
from .logging import get_logger, print_log, warn_once
from .misc import import_modules_from_strings, is_list_of, is_seq_of, is_str, is_tuple_of
from .options import DictAction
from .parrots_wrapper import SyncBatchNorm, _BatchNorm, _InstanceNorm
from .path import check_file_exist, is_filepath, mkdir_or_exist, path_inside, scandir, symlink
from .progressbar import ProgressBar, track_iter_progress, track_parallel_progress, track_progress
from .registry import Registry, build_from_cfg
from .timer import Timer
from .version_utils import TORCH_VERSION, digit_version

__all__ = [
    'TORCH_VERSION', 'Config', 'ConfigDict', 'DictAction', 'ProgressBar', 'Registry',
    'SyncBatchNorm', 'Timer', '_BatchNorm', '_InstanceNorm', 'build_from_cfg', 'check_file_exist',
    'collect_env', 'digit_version', 'get_git_hash', 'get_logger', 'import_modules_from_strings',
    'is_filepath', 'is_list_of', 'is_seq_of', 'is_str', 'is_tuple_of', 'mkdir_or_exist',
    'path_inside', 'print_log', 'scandir', 'symlink', 'track_iter_progress',
    'track_parallel_progress', 'track_progress', 'warn_once',
]
