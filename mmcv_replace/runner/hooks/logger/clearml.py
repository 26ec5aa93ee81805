"""Curves for ClearML."""
from typing import Any

from ...base_runner import BaseRunner
from ...dist_utils import master_only
from ...hook import HOOKS
from .service import ServiceLoggerHook


@HOOKS.register_module()
class ClearMLLoggerHook(ServiceLoggerHook):
    """Sends scalars to ClearML; `init_kwargs`: arguments of Task.init."""

    def __init__(self, init_kwargs: dict[str, Any] | None = None, interval: int = 10,
                 ignore_last: bool = True, reset_flag: bool = False,
                 by_epoch: bool = True) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch)
        self.import_clearml()
        self.init_kwargs = init_kwargs

    def import_clearml(self) -> None:
        """Set `clearml` to the package."""
        self.clearml = self.load_package('clearml', 'clearml')

    @master_only
    def before_run(self, runner: BaseRunner) -> None:
        super().before_run(runner)
        self.task = self.clearml.Task.init(**(self.init_kwargs or {}))
        self.task_logger = self.task.get_logger()

    @master_only
    def log(self, runner: BaseRunner) -> None:
        for name, value in self.get_loggable_tags(runner).items():
            self.task_logger.report_scalar(name, name, value, self.get_iter(runner))
