"""Config, registry, logging and small helpers."""
from .lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.config': ['Config', 'ConfigDict', 'DictAction'],
    '.device_type': ['IS_CUDA_AVAILABLE', 'IS_IPU_AVAILABLE', 'IS_MLU_AVAILABLE',
                     'IS_MPS_AVAILABLE', 'IS_NPU_AVAILABLE'],
    '.env': ['collect_env'],
    '.hub': ['load_url'],
    '.logging': ['get_logger', 'print_log', 'warn_once'],
    '.misc': [
        'check_prerequisites', 'concat_list', 'deprecated_api_warning', 'has_method',
        'import_modules_from_strings', 'is_list_of', 'is_method_overridden', 'is_seq_of', 'is_str',
        'is_tuple_of', 'iter_cast', 'list_cast', 'requires_executable', 'requires_package',
        'slice_list', 'to_1tuple', 'to_2tuple', 'to_3tuple', 'to_4tuple', 'to_ntuple',
        'tuple_cast'],
    '.parrots_jit': ['jit', 'skip_no_elena'],
    '.parrots_wrapper': [
        'DataLoader', 'PoolDataLoader', 'SyncBatchNorm', '_AdaptiveAvgPoolNd',
        '_AdaptiveMaxPoolNd', '_AvgPoolNd', '_BatchNorm', '_ConvNd', '_ConvTransposeMixin',
        '_InstanceNorm', '_MaxPoolNd', 'get_build_config', 'is_rocm_pytorch'],
    '.path': ['check_file_exist', 'fopen', 'is_filepath', 'mkdir_or_exist', 'path_inside',
              'scandir', 'symlink'],
    '.progressbar': ['ProgressBar', 'track_iter_progress', 'track_parallel_progress',
                     'track_progress'],
    '.registry': ['Registry', 'build_from_cfg'],
    '.seed': ['worker_init_fn'],
    '.testing': ['assert_attrs_equal', 'assert_dict_contains_subset', 'assert_dict_has_keys',
                 'assert_is_norm_layer', 'assert_keys_equal', 'assert_params_all_zeros',
                 'check_python_script'],
    '.timer': ['Timer', 'TimerError', 'check_time'],
    '.torch_ops': ['torch_meshgrid'],
    '.trace': ['is_jit_tracing'],
    '.version_utils': ['TORCH_VERSION', 'digit_version', 'get_git_hash'],
})
