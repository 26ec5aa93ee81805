"""Processes and threads of a program, as later scripts of mmsegmentation 0.x set them."""
import multiprocessing
import os
import sys
from collections.abc import Mapping
from typing import Any

import cv2

# Settings of a config, and the variables that libraries of worker processes read.
THREADS = {'omp_num_threads': 'OMP_NUM_THREADS', 'mkl_num_threads': 'MKL_NUM_THREADS'}


def setup_multi_processes(cfg: Mapping[str, Any]) -> None:
    """Set how processes start and how many threads they have.

    Settings of `cfg`: `mp_start_method` ('fork', which Windows lacks), `opencv_num_threads` (0, by
    which OpenCV starts none), and with more than one worker `omp_num_threads` and `mkl_num_threads`
    (1), unless their variables are set. The commands need none of it: they give each process its
    share of the cores, and each worker one thread.
    """
    if sys.platform != 'win32':
        multiprocessing.set_start_method(cfg.get('mp_start_method', 'fork'), force=True)
    cv2.setNumThreads(cfg.get('opencv_num_threads', 0))
    if cfg['data'].get('workers_per_gpu', 0) > 1:
        for setting, variable in THREADS.items():
            os.environ.setdefault(variable, str(cfg.get(setting, 1)))
