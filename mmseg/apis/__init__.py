"""Train, test and use a model: the functions behind the command lines."""
from mmseg.core.evaluation import multi_gpu_test, single_gpu_test

from .bootstrap import load_config, run_command
from .inference import inference_segmentor, init_segmentor, show_result_pyplot
from .process import Process, start_process
from .test_job import OutputOptions, evaluate_from_config
from .train import train_segmentor
from .train_job import set_random_seed, train_from_config

__all__ = [
    'Process', 'OutputOptions', 'inference_segmentor', 'init_segmentor', 'load_config',
    'multi_gpu_test', 'run_command', 'set_random_seed', 'show_result_pyplot', 'single_gpu_test',
    'start_process', 'evaluate_from_config', 'train_from_config', 'train_segmentor',
]
