"""Train, test and use a model: the functions behind the command lines.

Each name is imported when it is first asked for: a command need not wait for the parts of others.
"""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.cli': ['load_config', 'run_command'],
    '.inference': ['inference_segmentor', 'init_segmentor', 'predict_images',
                   'show_result_pyplot'],
    '.process': ['Process', 'start_process'],
    '.predict.segmenter': ['Segmenter'],
    '.test_job': ['OutputOptions', 'evaluate_from_config'],
    '.train': ['init_random_seed', 'set_random_seed', 'train_segmentor'],
    '.train_job': ['train_from_config'],
    '..core.evaluation': ['multi_gpu_test', 'single_gpu_test'],
    '..utils': ['get_root_logger'],
})
