"""Config, registry, logging and small helpers."""
from .lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.config': ['Config', 'ConfigDict'],
    '.env': ['collect_env', 'get_git_hash'],
    '.logging': ['get_logger', 'print_log', 'warn_once'],
    '.misc': ['import_modules_from_strings', 'is_list_of', 'is_seq_of', 'is_str', 'is_tuple_of'],
    '.options': ['DictAction'],
    '.parrots_wrapper': ['SyncBatchNorm', '_BatchNorm', '_InstanceNorm'],
    '.path': ['check_file_exist', 'is_filepath', 'mkdir_or_exist', 'path_inside', 'scandir',
              'symlink'],
    '.progressbar': ['ProgressBar', 'track_iter_progress', 'track_parallel_progress',
                     'track_progress'],
    '.registry': ['Registry', 'build_from_cfg'],
    '.timer': ['Timer'],
    '.version_utils': ['TORCH_VERSION', 'digit_version'],
})
