"""A progress bar on the terminal."""
import sys
from contextlib import ExitStack

from ..base_runner import BaseRunner
from ..hook import HOOKS, Hook


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Shows iterations done, speed and remaining time, in the first process.

    Log lines appear above the bar. If the output is not a terminal, a line is printed every 15 s.
    """

    def before_run(self, runner: BaseRunner) -> None:
        from tqdm import tqdm
        from tqdm.contrib.logging import logging_redirect_tqdm
        self._stack = ExitStack()
        if runner.rank == 0:
            self._stack.enter_context(logging_redirect_tqdm([runner.logger]))
        self._bar = self._stack.enter_context(tqdm(
            desc='train', total=runner.max_iters, initial=runner.iter, unit='it',
            mininterval=0.5 if sys.stderr.isatty() else 15, disable=runner.rank != 0))

    def after_train_iter(self, runner: BaseRunner) -> None:
        self._bar.update()

    def after_run(self, runner: BaseRunner) -> None:
        self._stack.close()
