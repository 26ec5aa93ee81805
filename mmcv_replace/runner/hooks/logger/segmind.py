"""Curves for Segmind."""
from ...base_runner import BaseRunner
from ...dist_utils import master_only
from ...hook import HOOKS
from .service import ServiceLoggerHook


@HOOKS.register_module()
class SegmindLoggerHook(ServiceLoggerHook):
    """Sends scalars to Segmind."""

    def __init__(self, interval: int = 10, ignore_last: bool = True, reset_flag: bool = False,
                 by_epoch: bool = True) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch)
        self.import_segmind()

    def import_segmind(self) -> None:
        """Set `log_metrics` and `mlflow_log` to functions of the package."""
        self.load_package('segmind', 'segmind')
        self.log_metrics = self.load_package('segmind.tracking.fluent', 'segmind').log_metrics
        self.mlflow_log = self.load_package(
            'segmind.utils.logging_utils', 'segmind').try_mlflow_log

    @master_only
    def log(self, runner: BaseRunner) -> None:
        tags = self.get_loggable_tags(runner)
        if tags:
            # A number of an epoch is the package's idea of a step.
            self.mlflow_log(self.log_metrics, tags, step=runner.epoch, epoch=runner.epoch)
