"""Train, test and use a model: the functions behind the command lines.

Each name is imported when it is first asked for: a command need not wait for the parts of others.
"""
from mmcv_replace.utils.lazy_names import lazy_names

_HOMES = {
    'OutputOptions': '.test_job',
    'Process': '.process',
    'evaluate_from_config': '.test_job',
    'inference_segmentor': '.inference',
    'init_segmentor': '.inference',
    'load_config': '.cli',
    'multi_gpu_test': '..core.evaluation',
    'run_command': '.cli',
    'set_random_seed': '.train_job',
    'show_result_pyplot': '.inference',
    'single_gpu_test': '..core.evaluation',
    'start_process': '.process',
    'train_from_config': '.train_job',
    'train_segmentor': '.train',
}
__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
