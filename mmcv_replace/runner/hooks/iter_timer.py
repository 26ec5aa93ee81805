"""Measures the time of iterations."""
import time

from ..base_runner import BaseRunner
from ..dist_utils import get_dist_info
from ..hook import HOOKS, Hook

# Kernels are compiled and caches filled in the first iterations of a run: they have next to no
# weight in the mean throughput.
WARMUP_ITERS = 5
WARMUP_WEIGHT = 1e-6


@HOOKS.register_module()
class IterTimerHook(Hook):
    """Logs `data_time` and `time` in seconds, and `fps`: samples per second of all processes.

    `time` includes waiting for the batch (`data_time`), but not hooks that run after this one, such
    as evaluation. It does not wait for an asynchronous device: only means are meaningful.
    """

    def before_run(self, runner: BaseRunner) -> None:
        self._timed = 0

    def before_iter(self, runner: BaseRunner) -> None:
        self._start = time.perf_counter() - runner.data_time
        runner.log_buffer.update({'data_time': runner.data_time})

    def after_train_iter(self, runner: BaseRunner) -> None:
        elapsed = time.perf_counter() - self._start
        runner.log_buffer.update({'time': elapsed})
        self._timed += 1
        if 'num_samples' not in runner.outputs:
            return
        # A mean of rates weighted by their times is all samples over all time.
        rate = runner.outputs['num_samples'] / elapsed * get_dist_info()[1]
        weight = elapsed if self._timed > WARMUP_ITERS else elapsed * WARMUP_WEIGHT
        runner.log_buffer.update({'fps': rate}, weight)

    def after_val_iter(self, runner: BaseRunner) -> None:
        runner.log_buffer.update({'time': time.perf_counter() - self._start})
