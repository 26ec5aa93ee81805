"""Curves for MLflow."""
from typing import Any

from ...base_runner import BaseRunner
from ...dist_utils import master_only
from ...hook import HOOKS
from .service import ServiceLoggerHook


@HOOKS.register_module()
class MlflowLoggerHook(ServiceLoggerHook):
    """Sends scalars to MLflow.

    `exp_name`: name of the experiment. `tags` and `params` of the run. `log_model`: send the model
    after the run.
    """

    def __init__(self, exp_name: str | None = None, tags: dict[str, Any] | None = None,
                 params: dict[str, Any] | None = None, log_model: bool = True, interval: int = 10,
                 ignore_last: bool = True, reset_flag: bool = False,
                 by_epoch: bool = True) -> None:
        super().__init__(interval, ignore_last, reset_flag, by_epoch)
        self.import_mlflow()
        self.exp_name = exp_name
        self.tags = tags
        self.params = params
        self.log_model = log_model

    def import_mlflow(self) -> None:
        """Set `mlflow` and `mlflow_pytorch` to the packages."""
        self.mlflow = self.load_package('mlflow', 'mlflow')
        self.load_package('mlflow.pytorch', 'mlflow')
        self.mlflow_pytorch = self.mlflow.pytorch

    @master_only
    def before_run(self, runner: BaseRunner) -> None:
        super().before_run(runner)
        if self.exp_name is not None:
            self.mlflow.set_experiment(self.exp_name)
        if self.tags is not None:
            self.mlflow.set_tags(self.tags)
        if self.params is not None:
            self.mlflow.log_params(self.params)

    @master_only
    def log(self, runner: BaseRunner) -> None:
        tags = self.get_loggable_tags(runner)
        if tags:
            self.mlflow.log_metrics(tags, step=self.get_iter(runner))

    @master_only
    def after_run(self, runner: BaseRunner) -> None:
        super().after_run(runner)
        if self.log_model:
            self.mlflow_pytorch.log_model(runner.model, 'models')
