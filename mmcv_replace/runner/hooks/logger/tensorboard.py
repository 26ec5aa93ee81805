"""Curves for TensorBoard."""
from pathlib import Path

from ....utils.errors import ConfigError
from ....utils.misc.optional import import_optional
from ...base_runner import BaseRunner
from ...dist_utils import master_only
from ...hook import HOOKS
from .base import LoggerHook


@HOOKS.register_module()
class TensorboardLoggerHook(LoggerHook):
    """Writes events to `log_dir`, by default the folder tf_logs in the work directory."""

    def __init__(self, log_dir: str | Path | None = None, interval: int = 10,
                 ignore_last: bool = True, reset_flag: bool = False, by_epoch: bool = True) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch)
        self.log_dir = log_dir
        self.writer = None
        self._last_step = -1

    def before_run(self, runner: BaseRunner) -> None:
        super().before_run(runner)
        if runner.rank != 0:
            return
        tensorboard = import_optional(
            'torch.utils.tensorboard', 'TensorboardLoggerHook in log_config',
            "pip install 'mmseg-ascend[tensorboard]', or remove the hook from log_config.hooks")
        if self.log_dir is None and runner.work_dir is None:
            raise ConfigError('TensorboardLoggerHook: nowhere to write, set work_dir or log_dir')
        self.writer = tensorboard.SummaryWriter(self.log_dir or Path(runner.work_dir) / 'tf_logs')

    @master_only
    def log(self, runner: BaseRunner) -> None:
        step = self.get_iter(runner)
        # An iteration with an evaluation is logged twice: learning rate and momentum only once.
        shared = {*self.get_lr_tags(runner), *self.get_momentum_tags(runner)}
        for tag, value in self.get_loggable_tags(runner, allow_text=True).items():
            if not (tag in shared and step == self._last_step):
                add = self.writer.add_scalar if self.is_scalar(value) else self.writer.add_text
                add(tag, value, step)
        self._last_step = step

    def after_run(self, runner: BaseRunner) -> None:
        super().after_run(runner)
        if self.writer is not None:
            self.writer.close()
